"""What the steps of a pipeline do to an image of some size, found out without the image."""
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmseg.datasets.pipelines import (
    Collect,
    Compose,
    DefaultFormatBundle,
    ImageToTensor,
    LoadImageFromFile,
    MultiScaleFlipAug,
    Normalize,
    Pad,
    RandomFlip,
    Resize,
    ResizeToMultiple,
    ToTensor,
)
from mmseg.datasets.pipelines.base import Results, Step
from mmseg.datasets.pipelines.geometric import check_room
from mmseg.datasets.pipelines.loading import DISK

from .pipeline import LoadImage

FORMAT = (ImageToTensor, ToTensor, DefaultFormatBundle, Collect)


class NotByParts(Exception):  # noqa: N818  it is no error: such an image is read as a whole
    """Why an image cannot be read and predicted in parts."""


@dataclass
class View:
    """How the network sees an image: resized, then normalised and padded.

    sizes: (width, height) of each resizing. values: the steps after them, Normalize and Pad. size:
    (height, width) of what the network sees. meta: what the pipeline notes about it.
    """

    sizes: list[tuple[int, int]] = field(default_factory=list)
    values: list[Normalize | Pad] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    meta: dict[str, Any] = field(default_factory=dict)


def loader_of(pipeline: Compose) -> LoadImageFromFile:
    """The step that loads images. Raises NotByParts for one that is not ours."""
    loader = next(step for step in pipeline.transforms if isinstance(step, LoadImage)).loader
    if type(loader) is not LoadImageFromFile or loader.file_client_args != DISK:
        raise NotByParts(f'{loader!r} loads images in its own way')
    return loader


def view_of(pipeline: Compose, path: str, shape: tuple[int, ...]) -> View:
    """The one view that a pipeline gives of an image of `shape` as loaded.

    Raises NotByParts where there are several, and for steps that need all of the image.
    """
    view = View()
    # An array of one number, whatever its shape.
    results = dict(filename=path, ori_filename=path, seg_fields=[],
                   **loader_of(pipeline).describe(np.broadcast_to(np.uint8(0), shape)))
    for step in pipeline.transforms:
        if isinstance(step, LoadImage):
            continue
        if type(step) is MultiScaleFlipAug:
            settings = step.views(results['img'].shape)
            if len(settings) > 1:
                raise NotByParts(f'the test pipeline shows it in {len(settings)} scales or flips, '
                                 'as --tta does')
            results.update(settings[0])
            _go_through(step.transforms.transforms, results, view)
        else:
            _go_through([step], results, view)
    view.size = results['img'].shape[:2]
    view.meta = {key: value for key, value in results.items() if key not in ('img', 'seg_fields')}
    return view


def _go_through(steps: Sequence[Step], results: Results, view: View) -> None:
    for step in steps:
        if type(step) in (Resize, ResizeToMultiple) and not view.values:
            _resize(step, results, view)
        elif type(step) is Normalize:
            step.record(results, None)
            view.values.append(step)
        elif type(step) is Pad and not any(type(other) is Pad for other in view.values):
            padding = step.draw(results)
            check_room(results['img'].shape, padding[0])
            results['img'] = _of_size(results['img'], padding[0])
            step.record(results, padding)
            view.values.append(step)
        elif type(step) is RandomFlip and 'flip' in results and not results['flip']:
            step.record(results, step.draw(results))
        elif type(step) not in FORMAT:
            raise NotByParts(f'{type(step).__name__} of the test pipeline, at its place there, '
                             'needs all of the image')


def _resize(step: Resize | ResizeToMultiple, results: Results, view: View) -> None:
    before = results['img'].shape[1::-1]
    if isinstance(step, Resize):
        params = step.draw(results)
        size = params[0]
    elif step.interpolation not in (None, 'bilinear'):
        raise NotByParts(f'{step!r} needs all of the image: rows are resized bilinearly')
    else:
        params = None
        size = tuple(math.ceil(edge / step.size_divisor) * step.size_divisor for edge in before)
    results['img'] = _of_size(results['img'], size[::-1])
    step.record(results, params)
    if size != before:
        view.sizes.append(tuple(size))


def _of_size(img: np.ndarray, size: Sequence[int]) -> np.ndarray:
    return np.broadcast_to(img[:1, :1], (*size, *img.shape[2:]))
