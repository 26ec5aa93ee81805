"""Inference by overlapping windows."""
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import torch
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


class WindowSource(Protocol):
    """Images [N, C, H, W] of which windows are taken, row by row from top to bottom."""

    shape: Sequence[int]
    dtype: torch.dtype

    def window(self, rows: Span, columns: Span) -> Tensor:
        """The window [N, C, rows, columns] of all images."""


class TensorWindows:
    """The windows of a tensor [N, C, H, W]."""

    def __init__(self, img: Tensor) -> None:
        self._img = img
        self.shape, self.dtype = img.shape, img.dtype

    def window(self, rows: Span, columns: Span) -> Tensor:
        return self._img[:, :, slice(*rows), slice(*columns)]


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


def window_columns(width: int, crop: int, stride: int, columns: Span) -> list[Span]:
    """Begin and end of the windows over some columns of an image of `width`."""
    return [span for span in window_spans(width, crop, stride)
            if span[0] < columns[1] and columns[0] < span[1]]


def slide_strips(forward: Callable[[Tensor], Tensor], img: Tensor | WindowSource,
                 crop_size: tuple[int, int], stride: tuple[int, int], batch_windows: int = 1,
                 max_bytes: float = math.inf, columns: Span | None = None) -> Iterator[Tensor]:
    """Mean of the logits of all windows over a pixel, in strips [N, out_channels, rows, W].

    img: [N, C, H, W], or what gives its windows; an image smaller than a window is one smaller
    window. forward: returns the logits of windows in their own size, for `batch_windows` windows of
    each image at once. crop_size, stride: (height, width). The strips follow one another from top
    to bottom, and a strip holds until the next one is asked for. It is complete when no further
    window overlaps it. Logits up to `max_bytes` come in one strip. With `columns` only these are
    computed: the windows over them, and no others.
    """
    source = TensorWindows(img) if isinstance(img, Tensor) else img
    height, width = source.shape[2:]
    begin, end = columns or (0, width)
    rows = window_spans(height, crop_size[0], stride[0])
    cols = window_columns(width, crop_size[1], stride[1], (begin, end))
    left, right = cols[0][0], cols[-1][1]
    windows = _window_logits(forward, source, rows, cols, batch_windows)
    row_counts, col_counts = _coverage(rows, height), _coverage(cols, width)[begin:end]
    total, top = None, 0  # sums of logits from the row `top` of the image on
    for (y1, y2), (following, _) in zip(rows, [*rows[1:], (height, height)], strict=True):
        for x1, x2 in cols:
            logits = next(windows)
            if total is None:
                shape = (len(logits), logits.size(1), height, right - left)
                whole = math.prod(shape) * source.dtype.itemsize <= max_bytes
                total = logits.new_zeros((*shape[:2], height if whole else y2, right - left),
                                         dtype=source.dtype)
            total[:, :, y1 - top:y2 - top, x1 - left:x2 - left] += logits
        if whole and following < height:
            continue
        # Windows form a grid: the number over a pixel is that over its row times its column's.
        count = torch.outer(row_counts[top:following], col_counts).to(total)
        yield total[:, :, :following - top, begin - left:end - left].div_(count)
        if following < height:
            _move_up(total, following - top)
        top = following


def slide_logits(forward: Callable[[Tensor], Tensor], img: Tensor, crop_size: tuple[int, int],
                 stride: tuple[int, int], batch_windows: int = 1) -> Tensor:
    """Logits [N, out_channels, H, W] of `slide_strips` in one piece."""
    return next(slide_strips(forward, img, crop_size, stride, batch_windows))


def _window_logits(forward: Callable[[Tensor], Tensor], source: WindowSource, rows: Sequence[Span],
                   cols: Sequence[Span], batch: int) -> Iterator[Tensor]:
    """Logits of the windows row by row, computed `batch` windows at a time."""
    spans = [(row, col) for row in rows for col in cols]
    for start in range(0, len(spans), batch):
        crops = [source.window(row, col) for row, col in spans[start:start + batch]]
        yield from forward(torch.cat(crops) if len(crops) > 1 else crops[0]).chunk(len(crops))


def _move_up(total: Tensor, rows: int) -> None:
    """Move rows [N, C, H, W] up by a number of them, in place; those that come in are zero."""
    kept = total.size(2) - rows
    below = total[:, :, rows:]
    total[:, :, :kept] = below if kept <= rows else below.clone()
    total[:, :, kept:] = 0


def _coverage(spans: Sequence[Span], size: int) -> Tensor:
    """Number of windows [size] over each row or column."""
    count = torch.zeros(size)
    for begin, end in spans:
        count[begin:end] += 1
    return count
