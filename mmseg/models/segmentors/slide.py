"""Inference by overlapping windows."""
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.section import Range, Section, read_section

Size = Annotated[int, Range(1)]
Pixels = tuple[Size, Size]
Span = tuple[int, int]  # first row or column, and the one after the last


@dataclass(frozen=True)
class PredictionSettings(Section):
    """`test_cfg` of a model; heads may read further names."""

    OPEN = True
    mode: Literal['whole', 'slide']
    crop_size: Annotated[Pixels | None, '(height, width) of a window'] = None
    stride: Annotated[Pixels | None, '(height, width) from one window to the next'] = None
    batch_windows: Annotated[int | None, Range(1), 'windows that are computed at once'] = None
    max_logits_mb: Annotated[int | None, Range(1), 'memory for logits'] = 256


def sliding(test_cfg: dict) -> bool:
    """Whether `test_cfg` asks for windows; ConfigError for settings that do not fit."""
    settings = read_section(PredictionSettings, test_cfg, 'test_cfg')
    if settings.mode == 'whole':
        return False
    crop, stride = settings.crop_size, settings.stride
    if crop is None or stride is None:
        raise ConfigError("test_cfg: mode='slide' needs crop_size and stride as (height, width) in "
                          'pixels, such as crop_size=(512, 512)')
    if stride[0] > crop[0] or stride[1] > crop[1]:
        raise ConfigError(f'test_cfg.stride={stride} is larger than test_cfg.crop_size={crop}: '
                          'the windows would leave gaps; lower the stride')
    return True


def window_spans(size: int, crop: int, stride: int) -> list[Span]:
    """Begin and end of the windows along an axis; the last is moved back to end at `size`."""
    count = max(size - crop + stride - 1, 0) // stride + 1
    ends = [min(i * stride + crop, size) for i in range(count)]
    return [(max(end - crop, 0), end) for end in ends]


def slide_strips(forward: Callable[[Tensor], Tensor], img: Tensor, crop_size: tuple[int, int],
                 stride: tuple[int, int], batch_windows: int = 1,
                 max_bytes: float = math.inf) -> Iterator[Tensor]:
    """Mean of the logits of all windows over a pixel, in strips [N, out_channels, rows, W].

    img: [N, C, H, W]; an image smaller than a window is one smaller window. forward: returns the
    logits of windows in their own size, for `batch_windows` windows of each image at once.
    crop_size, stride: (height, width). The strips follow one another from top to bottom; a strip
    is complete when no further window overlaps it. Logits up to `max_bytes` come in one strip.
    """
    n, _, height, width = img.shape
    rows = window_spans(height, crop_size[0], stride[0])
    cols = window_spans(width, crop_size[1], stride[1])
    windows = _window_logits(forward, img, rows, cols, batch_windows)
    row_counts, col_counts = _coverage(rows, height), _coverage(cols, width)
    total, top = None, 0  # sums of logits in the current strip, and its first row
    for (y1, y2), (following, _) in zip(rows, [*rows[1:], (height, height)], strict=True):
        for x1, x2 in cols:
            logits = next(windows)
            if total is None:
                row_bytes = n * logits.size(1) * width * img.element_size()
                whole = row_bytes * height <= max_bytes
                total = img.new_zeros((n, logits.size(1), height if whole else y2, width))
            elif total.size(2) < y2 - top:
                total = F.pad(total, (0, 0, 0, y2 - top - total.size(2)))
            total[:, :, y1 - top:y2 - top, x1:x2] += logits
        if whole and following < height:
            continue
        # Windows form a grid: the number over a pixel is that over its row times its column's.
        count = torch.outer(row_counts[top:following], col_counts).to(total)
        yield total[:, :, :following - top].div_(count)
        total, top = total[:, :, following - top:], following


def slide_logits(forward: Callable[[Tensor], Tensor], img: Tensor, crop_size: tuple[int, int],
                 stride: tuple[int, int], batch_windows: int = 1) -> Tensor:
    """Logits [N, out_channels, H, W] of `slide_strips` in one piece."""
    return next(slide_strips(forward, img, crop_size, stride, batch_windows))


def _window_logits(forward: Callable[[Tensor], Tensor], img: Tensor, rows: Sequence[Span],
                   cols: Sequence[Span], batch: int) -> Iterator[Tensor]:
    """Logits of the windows row by row, computed `batch` windows at a time."""
    spans = [(row, col) for row in rows for col in cols]
    for start in range(0, len(spans), batch):
        crops = [img[:, :, y1:y2, x1:x2] for (y1, y2), (x1, x2) in spans[start:start + batch]]
        yield from forward(torch.cat(crops) if len(crops) > 1 else crops[0]).chunk(len(crops))


def _coverage(spans: Sequence[Span], size: int) -> Tensor:
    """Number of windows [size] over each row or column."""
    count = torch.zeros(size)
    for begin, end in spans:
        count[begin:end] += 1
    return count
