"""Run a model over a large image, stripe by stripe."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mmcv_replace.device import is_asynchronous
from mmcv_replace.host import release_freed_memory
from mmcv_replace.image.resize_rows import RowReader
from mmcv_replace.parallel.data_parallel import device_of
from mmseg.models.segmentors.encoder_decoder import MAX_LOGITS_MB
from mmseg.models.segmentors.seg_map import SegMapBuilder
from mmseg.models.segmentors.slide import Span, slide_strips, sliding, window_columns, window_spans

from .geometry import View
from .network_input import NetworkInput

# Windows side by side in a stripe, at least: those at its border are computed for both stripes.
LEAST_WINDOWS = 8
ROWS_AT_ONCE = 512  # of the result, about, that are held at a time


@dataclass(frozen=True)
class Part:
    """Rows of a label map from `top` on, between columns, and their confidence if wanted."""

    top: int
    columns: Span
    seg_map: np.ndarray
    confidence: np.ndarray | None


def count_windows(model: nn.Module, view: View) -> int:
    """How many windows are computed; 1 where the network sees all at once."""
    if not sliding(model.test_cfg):
        return 1
    across = sum(len(_spans(model, view, columns)) for columns in _sources(model, view))
    return len(_row_spans(model, view)) * across


def predict_parts(model: nn.Module, rows: RowReader, view: View, channels: int, confidence: bool,
                  done: Callable[[int], None] = lambda windows: None) -> Iterator[Part]:
    """The label map of an image in the size of the original, part by part.

    rows: the image of `channels`, as loaded. Parts come in stripes from left to right, as wide as
    the sums of logits may be (`max_logits_mb` of `test_cfg`), each from top to bottom. `done` is
    told of windows that were computed.
    """
    for target in _stripes(model, view):
        builder = _builder(model, view, confidence, target)
        # By a function, so that nothing of a stripe is in memory when the next one begins.
        yield from _stripe_parts(builder, target, _logits(model, rows, view, channels, builder,
                                                          done))


def _stripe_parts(builder: SegMapBuilder, columns: Span, logits: Iterator[Tensor]
                  ) -> Iterator[Part]:
    """The parts of a stripe, from its logits."""
    top = 0
    for strip in logits:
        builder.add(strip)
        taken = builder.take()
        if taken is not None:
            yield Part(top, columns, *taken)
            top += len(taken[0])


def _logits(model: nn.Module, rows: RowReader, view: View, channels: int, builder: SegMapBuilder,
            done: Callable[[int], None]) -> Iterator[Tensor]:
    """The logits that a builder needs, from top to bottom, few rows of the result at a time."""
    at_once = max(1, ROWS_AT_ONCE * builder.source[0] // builder.target[0])
    device = device_of(model)
    if not sliding(model.test_cfg):
        with NetworkInput(rows, view, channels, device, (0, view.size[1])) as source:
            image = source.whole()
        logits = model.whole_inference(image, [view.meta], rescale=False)
        done(1)
        yield from logits.split(at_once, dim=2)
        return
    columns = builder.source_columns if builder.columns is not None else (0, view.size[1])
    across, down = _spans(model, view, columns), _row_spans(model, view)
    with NetworkInput(rows, view, channels, device, (across[0][0], across[-1][1]), down) as source:
        options = model.windows(source, [view.meta])
        options['forward'] = _told(options['forward'], done)
        if not is_asynchronous(device) and model.test_cfg.get('batch_windows') is None:
            options['batch_windows'] = 1  # a host takes no less time for several, but more memory
        for strip in slide_strips(**options, columns=columns, max_bytes=builder.max_bytes):
            yield from strip.split(at_once, dim=2)
            release_freed_memory()  # or each strip would leave more pieces


def _told(forward: Callable[[Tensor], Tensor], done: Callable[[int], None]
          ) -> Callable[[Tensor], Tensor]:
    def run(windows: Tensor) -> Tensor:
        logits = forward(windows)
        done(len(windows))
        return logits
    return run


def _builder(model: nn.Module, view: View, confidence: bool, columns: Span) -> SegMapBuilder:
    limit = _limit(model)
    whole = columns == (0, view.meta['ori_shape'][1])
    return SegMapBuilder(view.size, view.meta, True, model.align_corners, limit, model.threshold,
                         'confidence' if confidence else None, None if whole else columns)


def _limit(model: nn.Module) -> int:
    """Bytes that the logits of an image may take."""
    return (model.test_cfg.get('max_logits_mb') or MAX_LOGITS_MB) * 2**20


def _row_spans(model: nn.Module, view: View) -> list[Span]:
    return window_spans(view.size[0], model.test_cfg.crop_size[0], model.test_cfg.stride[0])


def _spans(model: nn.Module, view: View, columns: Span) -> list[Span]:
    return window_columns(view.size[1], model.test_cfg.crop_size[1], model.test_cfg.stride[1],
                          columns)


def _sources(model: nn.Module, view: View) -> list[Span]:
    """The columns of the logits of each stripe."""
    found = []
    for columns in _stripes(model, view):
        builder = _builder(model, view, False, columns)
        found.append((0, view.size[1]) if builder.columns is None else builder.source_columns)
    return found


def _stripes(model: nn.Module, view: View) -> list[Span]:
    """The columns of the result that are made together."""
    width = view.meta['ori_shape'][1]
    if not sliding(model.test_cfg):
        return [(0, width)]
    crop, stride = model.test_cfg.crop_size, model.test_cfg.stride
    column = torch.float32.itemsize * model.out_channels * min(crop[0], view.size[0])
    most = max(_limit(model) // column, crop[1] + (LEAST_WINDOWS - 1) * stride[1])
    if view.size[1] <= most:
        return [(0, width)]
    inner = view.meta['img_shape'][1]  # without padding
    borders = [round(border * width / inner) for border in
               _borders(window_spans(view.size[1], crop[1], stride[1]), most) if border < inner]
    return list(zip([0, *borders], [*borders, width], strict=True))


def _borders(spans: Sequence[Span], most: int) -> list[int]:
    """Where windows begin which are the first that a stripe of `most` columns has no room for."""
    borders: list[int] = []
    first, begin = 0, 0
    for index, (left, right) in enumerate(spans):
        if right - begin > most and index > first:
            borders.append(left)
            # The next stripe has all windows over its columns.
            first = index
            begin = next(start for start, end in spans if end > left)
    return borders
