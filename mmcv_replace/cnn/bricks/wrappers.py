"""mmcv's names for torch layers that accept an empty batch: torch's own do."""
from torch.nn import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d, Linear, MaxPool2d, MaxPool3d

__all__ = ['Conv2d', 'Conv3d', 'ConvTranspose2d', 'ConvTranspose3d', 'Linear', 'MaxPool2d',
           'MaxPool3d']
