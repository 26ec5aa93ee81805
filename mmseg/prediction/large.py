"""Predict images that are too large to be in memory, read and written by rows."""
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from mmcv_replace.image.formats.rows import missing_reader
from mmcv_replace.image.formats.size import read_size
from mmcv_replace.utils import ProgressBar, warn_once
from mmseg.core.evaluation.overrides import is_own
from mmseg.models import EncoderDecoder
from mmseg.models.segmentors.slide import sliding

from .geometry import NotByParts, View, loader_of, view_of
from .large_files import shrink, write_confidence, write_mask
from .map_store import FileArray
from .network_input import LoadedRows
from .options import PredictOptions
from .outputs import Outputs, Places
from .paint import PaintOutputs, write_picture
from .pipeline import build_inference_pipeline
from .shrinkage import ShrinkageNote
from .sources import Source
from .stripes import Part, count_windows, predict_parts

# Methods of a model that a subclass may have in its own way, which wants all of an image.
WHOLE = ('inference', 'slide_inference', 'simple_test', 'whole_inference')


def wants_windows(path: str, cfg: Mapping[str, Any], options: PredictOptions,
                  model: nn.Module) -> bool:
    """Whether a file holds an image of more than `max_pixels` that is predicted in parts.

    Only its header is read. Warns, once, of what keeps an image from being predicted in parts.
    """
    size = read_size(path)
    if size is None or size[0] * size[1] <= options.max_pixels:
        return False
    try:
        find_view(getattr(model, 'module', model), cfg, path, size, options)
    except NotByParts as reason:
        warn_once(f'an image of more than {options.max_pixels:,} pixels is read and predicted as a '
                  f'whole, with as much memory as that takes: {reason}')
        return False
    return True


def find_view(model: nn.Module, cfg: Mapping[str, Any], path: str, size: tuple[int, ...],
              options: PredictOptions) -> View:
    """How the network sees the image of a file, of (height, width) or (height, width, channels).

    Raises NotByParts where it cannot be predicted in parts.
    """
    if not isinstance(model, EncoderDecoder) or any(is_own(model, name) for name in WHOLE):
        raise NotByParts(f'{type(model).__name__} predicts in its own way')
    if options.scores == 'probabilities':
        raise NotByParts('--scores probabilities holds a number for each class and pixel; '
                         '--scores confidence has one for each pixel')
    view = view_of(build_inference_pipeline(cfg), path, size)
    if not sliding(model.test_cfg) and view.size[0] * view.size[1] > options.max_pixels:
        raise NotByParts('the network sees all of it at once; --slide predicts it by windows')
    return view


def predict_large(model: nn.Module, cfg: Mapping[str, Any], source: Source, outputs: Outputs,
                  title: str | None = None, note: ShrinkageNote | None = None) -> None:
    """Predict an image of which `wants_windows` is true, and write and list what is asked for.

    `title` stands before the bar that shows the progress. `note`: that of the run, for an image
    of which the network sees less than there is.
    Memory is taken for some rows of the image and of its label map, whatever the image's size; what
    is done of the map lies in a file beside the outputs. Raises DataError for a file that cannot be
    read, OSError where an output cannot be written; none is left half-written.
    """
    inner, options = getattr(model, 'module', model), outputs.options
    with ExitStack() as stack:
        rows = stack.enter_context(
            LoadedRows(loader_of(build_inference_pipeline(cfg)), source.image))
        if rows.is_whole:
            _tell_whole(source.image)
        view = find_view(inner, cfg, source.image, rows.shape, options)
        note = note or ShrinkageNote(options, sliding(inner.test_cfg))
        note.look(source.image, rows.shape, view.meta['img_shape'], most=1)
        found = stack.enter_context(LargeMap(outputs, rows.shape[:2]))
        stack.enter_context(torch.no_grad())
        with getattr(model, 'autocast', nullcontext)():
            bar = ProgressBar(count_windows(inner, view), unit='window', title=title)
            stack.callback(bar.close)
            channels = rows.shape[2] if len(rows.shape) == 3 else 1
            for part in predict_parts(inner, rows, view, channels,
                                      options.needed_scores is not None, bar.update):
                found.add(part)
        places = found.write(outputs.place(source), source.image)
        if places.overlay is not None:
            # With the size that is needed last, so that no other memory is held meanwhile.
            paint = PaintOutputs(model, outputs)
            write_picture(paint.draw_over(*shrink(rows, found.seg_map)), places.overlay)
        outputs.record(source, found.seg_map.shape, found.counts, places, found.uncertain)


def _tell_whole(path: str) -> None:
    """Warn, once, of a file of which the decoded image is in memory for want of a package."""
    remedy = missing_reader(path)
    if remedy is not None:
        warn_once(f'{path} is decoded as a whole, and predicted by windows then; {remedy} reads '
                  'such files by rows, in less memory')


class LargeMap:
    """The label map of an image of (height, width), and what is counted in it."""

    def __init__(self, outputs: Outputs, size: tuple[int, int]) -> None:
        self._outputs, options = outputs, outputs.options
        classes = len(outputs.names)
        deep = classes > 256 or (outputs.ignore or 0) > 255
        self.counts = np.zeros(classes, np.int64)
        self.uncertain = 0
        with ExitStack() as stack:
            self.seg_map = stack.enter_context(
                FileArray(outputs.folder, size, np.uint16 if deep else np.uint8))
            self.confidence = None
            if options.scores is not None:
                self.confidence = stack.enter_context(
                    FileArray(outputs.folder, size, np.float16))
            self._files = stack.pop_all()

    def add(self, part: Part) -> None:
        """Take a part; where it is too uncertain it has no class."""
        seg_map, threshold = part.seg_map, self._outputs.options.threshold
        known = seg_map.ravel()
        if threshold is not None:
            certain = part.confidence >= threshold
            known = seg_map[certain]
            seg_map = np.where(certain, seg_map, self._outputs.ignore)
            self.uncertain += certain.size - len(known)
        counts = np.bincount(known, minlength=len(self.counts))
        self.counts = np.pad(self.counts, (0, len(counts) - len(self.counts))) + counts
        self.seg_map.put(seg_map, part.top, part.columns)
        if self.confidence is not None:
            self.confidence.put(part.confidence, part.top, part.columns)

    def write(self, places: Places, image: str) -> Places:
        """Write mask and confidence; returns the places that they have."""
        if places.mask is not None:
            places = replace(places, mask=write_mask(places.mask, self.seg_map,
                                                     self._outputs.mask_palette, image))
        if places.scores is not None:
            write_confidence(places.scores, self.confidence, self._outputs.names)
        return places

    def __enter__(self) -> 'LargeMap':
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()
