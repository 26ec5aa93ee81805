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


def window_spans(size: int, crop: int, stride: int) -> list[tuple[int, int]]:
    """Begin and end of the windows along one axis; the last one is moved back to end at `size`."""
    count = max(size - crop + stride - 1, 0) // stride + 1
    ends = [min(i * stride + crop, size) for i in range(count)]
    return [(max(end - crop, 0), end) for end in ends]


def slide_strips(
    forward: Callable[[Tensor], Tensor],
    img: Tensor,
    crop_size: tuple[int, int],
    stride: tuple[int, int],
    batch_windows: int = 1,
    max_bytes: float = math.inf,
) -> Iterator[Tensor]:
    """Mean of the logits of all windows over a pixel, in strips [N, out_channels, rows, W].

    The strips follow one another from the top of the images [N, C, H, W] to the bottom. Where the
    whole map takes no more than `max_bytes` it is the only one; otherwise rows are handed out, and
    forgotten, as soon as no further window touches them. `forward` gives the logits of windows in
    their own size; it gets `batch_windows` windows of each image at once. `crop_size` and `stride`
    are (height, width). An image smaller than a window is one smaller window.
    """
    n, _, height, width = img.shape
    rows = window_spans(height, crop_size[0], stride[0])
    cols = window_spans(width, crop_size[1], stride[1])
    windows = _window_logits(forward, img, rows, cols, batch_windows)
    row_counts, col_counts = _coverage(rows, height), _coverage(cols, width)
    total, top = None, 0  # logits of the rows that are not handed out, and the first of them
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
        # Windows form a grid, so the number over a pixel is that of its row times its column's.
        count = torch.outer(row_counts[top:following], col_counts).to(total)
        yield total[:, :, :following - top].div_(count)
        total, top = total[:, :, following - top:], following


def slide_logits(
    forward: Callable[[Tensor], Tensor],
    img: Tensor,
    crop_size: tuple[int, int],
    stride: tuple[int, int],
    batch_windows: int = 1,
) -> Tensor:
    """`slide_strips` in one piece: [N, C, H, W] -> [N, out_channels, H, W]."""
    return next(slide_strips(forward, img, crop_size, stride, batch_windows))


def _window_logits(
    forward: Callable[[Tensor], Tensor],
    img: Tensor,
    rows: Sequence[tuple[int, int]],
    cols: Sequence[tuple[int, int]],
    batch: int,
) -> Iterator[Tensor]:
    """Logits of the windows row by row, `batch` of them computed at once."""
    spans = [(row, col) for row in rows for col in cols]
    for start in range(0, len(spans), batch):
        crops = [img[:, :, y1:y2, x1:x2] for (y1, y2), (x1, x2) in spans[start:start + batch]]
        yield from forward(torch.cat(crops) if len(crops) > 1 else crops[0]).chunk(len(crops))


def _coverage(spans: list[tuple[int, int]], size: int) -> Tensor:
    count = torch.zeros(size)
    for begin, end in spans:
        count[begin:end] += 1
    return count
