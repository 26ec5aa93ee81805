"""Images from tensors."""
from typing import TYPE_CHECKING

import numpy as np

from ..utils.errors import ConfigError, ConfigTypeError
from .normalize import imdenormalize

if TYPE_CHECKING:
    import torch


def tensor2imgs(tensor: 'torch.Tensor', mean: tuple[float, ...] | None = None,
                std: tuple[float, ...] | None = None, to_rgb: bool = True) -> list[np.ndarray]:
    """Undo the normalisation of a batch [N, C, H, W]: a list of images [H, W, C] uint8.

    C is 3, or 1 without `to_rgb`. `mean` (0 by default) and `std` (1) are those of the
    normalisation; `to_rgb` says that it turned BGR into RGB, which is turned back.
    """
    if not hasattr(tensor, 'detach') or tensor.ndim != 4:
        raise ConfigTypeError('tensor2imgs takes a tensor [N, C, H, W], not '
                              f'{list(np.shape(tensor))} of {type(tensor).__name__}')
    channels = tensor.shape[1]
    mean = (0,) * channels if mean is None else mean
    std = (1,) * channels if std is None else std
    if channels not in (1, 3) or len(mean) != channels or len(std) != channels:
        raise ConfigError(f'tensor2imgs: {channels} channels, mean={mean!r} and std={std!r}: give '
                          '1 or 3 channels and as many values')
    if channels == 1 and to_rgb:
        raise ConfigError('tensor2imgs: one channel has no colours: give to_rgb=False')
    batch = tensor.detach().cpu().numpy().transpose(0, 2, 3, 1)
    return [np.ascontiguousarray(imdenormalize(
        img, np.array(mean, np.float32), np.array(std, np.float32), to_bgr=to_rgb).astype(np.uint8))
        for img in batch]
