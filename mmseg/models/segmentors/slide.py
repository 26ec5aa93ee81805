"""Inference by overlapping windows."""
from collections.abc import Callable

import torch
from torch import Tensor

from mmcv_replace.utils.errors import ConfigError


def sliding(test_cfg: dict) -> bool:
    """Whether `test_cfg` asks for windows; ConfigError where it cannot be followed."""
    mode = test_cfg.get('mode')
    if mode not in ('whole', 'slide'):
        raise ConfigError(f"test_cfg.mode={mode!r} is not known: use 'whole' or 'slide'")
    for key in ('crop_size', 'stride') if mode == 'slide' else ():
        value = test_cfg.get(key)
        if not isinstance(value, list | tuple) or len(value) != 2 or min(value) < 1:
            raise ConfigError(f"test_cfg.{key}={value!r}: mode='slide' needs (height, width) in "
                              f'pixels, such as {key}=(512, 512)')
    if mode == 'whole':
        return False
    crop, stride = test_cfg['crop_size'], test_cfg['stride']
    if stride[0] > crop[0] or stride[1] > crop[1]:
        raise ConfigError(f'test_cfg.stride={stride} is larger than test_cfg.crop_size={crop}: '
                          'the windows would leave gaps; lower the stride')
    return True


def window_spans(size: int, crop: int, stride: int) -> list[tuple[int, int]]:
    """Begin and end of the windows along one axis; the last one is moved back to end at `size`."""
    count = max(size - crop + stride - 1, 0) // stride + 1
    ends = [min(i * stride + crop, size) for i in range(count)]
    return [(max(end - crop, 0), end) for end in ends]


def slide_logits(
    forward: Callable[[Tensor], Tensor],
    img: Tensor,
    crop_size: tuple[int, int],
    stride: tuple[int, int],
) -> Tensor:
    """Mean of the logits of all windows over a pixel: [N, C, H, W] -> [N, num_classes, H, W].

    `forward` gives the logits of a window in the window's size; `crop_size` and `stride` are
    (height, width). An image smaller than a window is one smaller window.
    """
    n, _, height, width = img.shape
    rows = window_spans(height, crop_size[0], stride[0])
    cols = window_spans(width, crop_size[1], stride[1])
    total = None
    for y1, y2 in rows:
        for x1, x2 in cols:
            logits = forward(img[:, :, y1:y2, x1:x2])
            if total is None:
                total = img.new_zeros((n, logits.size(1), height, width))
            total[:, :, y1:y2, x1:x2] += logits
    # Windows form a grid, so the number over a pixel is that of its row times that of its column.
    counts = torch.outer(_coverage(rows, height), _coverage(cols, width))
    return total.div_(counts.to(total))


def _coverage(spans: list[tuple[int, int]], size: int) -> Tensor:
    count = torch.zeros(size)
    for begin, end in spans:
        count[begin:end] += 1
    return count
