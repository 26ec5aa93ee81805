"""Predictions of images that belong to no data set, as a stream in the order of the images."""
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mmcv_replace.parallel import collate
from mmcv_replace.utils.error_origin import is_out_of_memory
from mmcv_replace.utils.errors import DataError, UserError, add_note
from mmseg.core.evaluation import Prediction
from mmseg.core.evaluation.predict import first_view
from mmseg.datasets.pipelines import Compose

from .batches import batches_of_one_key, in_order, shape_of
from .pipeline import LoadImage
from .threads import in_threads

Image = str | os.PathLike | np.ndarray
Numbered = tuple[int, Image]
# What a model makes of a collated batch: a label map and its scores, if any, for each image.
Run = Callable[[dict[str, Any]], Sequence[tuple[np.ndarray, np.ndarray | None]]]
# Called for an image that gives no prediction; without one the error is raised.
OnError = Callable[[int, Exception], None]


class LargeImage(DataError):
    """An image that is not for the stream, but to be read in parts."""


@dataclass(frozen=True)
class Loaded:
    """An image as the model takes it, or why there is none."""

    index: int
    image: Image
    data: dict[str, Any] | None = None
    error: Exception | None = None

    @property
    def key(self) -> Hashable:
        """Equal for images that can be one batch; an image that failed needs no other."""
        return ('failed', self.index) if self.data is None else shape_of(self.data)


class ImageReader:
    """Runs the pipeline of a model's config on images, in several threads if need be.

    Each thread has a pipeline of its own, as steps of users may keep what they are at. An image
    that `is_large` is not read: its error is a LargeImage.
    """

    def __init__(self, make_pipeline: Callable[[], Compose],
                 is_large: Callable[[Image], bool] = lambda image: False) -> None:
        self._make = make_pipeline
        self._is_large = is_large
        self._own = threading.local()
        self._pipeline()  # errors of the config come before the first image

    def _pipeline(self) -> Compose:
        if not hasattr(self._own, 'pipeline'):
            self._own.pipeline = self._make()
        return self._own.pipeline

    def read(self, numbered: Numbered) -> Loaded:
        """The image as the model takes it, or the error, if the user can correct it."""
        index, image = numbered
        try:
            if self._is_large(image):
                raise LargeImage(f'{describe(image)} is too large to be read as a whole')
            data = self._pipeline()(dict(img=image, seg_fields=[]))
            if data is None:
                raise DataError(f'{describe(image)}: the test pipeline has dropped the image')
        except (UserError, OSError) as error:
            return Loaded(index, image, error=error)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return _too_large(index, image, error)
        return Loaded(index, image, data)

    def original(self, image: Image) -> np.ndarray:
        """The image [H, W] or [H, W, C] as the loading step of the pipeline gives it."""
        steps = self._pipeline().transforms
        return next(step for step in steps if isinstance(step, LoadImage)).load(image)


def predict_stream(run: Run, reader: ImageReader, images: Iterable[Numbered], batch: int = 1,
                   threads: int = 0, on_error: OnError | None = None) -> Iterator[Prediction]:
    """Predict images in their order; up to `batch` of one shape go through the model together.

    `threads` read and prepare images ahead; with none an image is taken from `images` when its
    prediction is asked for, as live pictures of a camera have to be. An image that cannot be read,
    that the model does not take, or for which memory does not suffice, is given to `on_error`, and
    the rest goes on.
    """
    loaded = in_threads(reader.read, images, threads, ahead=threads + 2 * batch)
    batches = batches_of_one_key(loaded, lambda each: each.key, batch)
    for outcome in in_order(_outcomes(run, reader, batches)):
        if isinstance(outcome, Prediction):
            yield outcome
        elif on_error is None:
            raise outcome.error
        else:
            on_error(outcome.index, outcome.error)


def _outcomes(run: Run, reader: ImageReader, batches: Iterable[list[tuple[int, Loaded]]]
              ) -> Iterator[list[tuple[int, Prediction | Loaded]]]:
    """The prediction of each image of the batches, or what failed."""
    for members in batches:
        images = [each for _, each in members]
        if images[0].data is None:
            found: list[Prediction | Loaded] = images
        else:
            found = _predict(run, reader, images)
        yield [(place, each) for (place, _), each in zip(members, found, strict=True)]


def _predict(run: Run, reader: ImageReader, images: list[Loaded]) -> list[Prediction | Loaded]:
    batch = collate([each.data for each in images], len(images))
    metas = first_view(batch['img_metas'])
    try:
        results = run(batch)
    except Exception as error:
        if not is_out_of_memory(error):
            add_note(error, f'while predicting {describe(images[0].image)}')
            if not isinstance(error, UserError):
                raise
            # As of channels that the model does not take: other images may have others.
            return [Loaded(each.index, each.image, error=error) for each in images]
        if len(images) > 1:  # one by one they may fit
            return [_predict(run, reader, [each])[0] for each in images]
        return [_too_large(images[0].index, images[0].image, error)]
    return [Prediction(each.index, seg_map, meta, score, partial(reader.original, each.image))
            for each, (seg_map, score), meta in zip(images, results, metas, strict=True)]


def _too_large(index: int, image: Image, error: Exception) -> Loaded:
    return Loaded(index, image, error=out_of_memory(
        describe(image), error, "predict it by windows, test_cfg=dict(mode='slide', ...)"))


def out_of_memory(image: str, error: Exception, remedy: str) -> DataError:
    """The error of an image for which memory does not suffice; `remedy` ends its message."""
    told = DataError(f'{image}: the memory does not suffice for it ({error}); {remedy}')
    told.__cause__ = error
    return told


def describe(image: Image) -> str:
    """An image in messages."""
    return 'an array' if isinstance(image, np.ndarray) else os.fspath(image)
