"""mmcv's names for torch layers that accept an empty batch: torch's own do."""
import torch
from torch.nn import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d, Linear, MaxPool2d, MaxPool3d

from ...utils.version_utils import digit_version

__all__ = ['TORCH_VERSION', 'Conv2d', 'Conv3d', 'ConvTranspose2d', 'ConvTranspose3d', 'Linear',
           'MaxPool2d', 'MaxPool3d']

# Tests of layers derived from these replace it, by its name in mmcv.
TORCH_VERSION = digit_version(torch.__version__)[:2]
