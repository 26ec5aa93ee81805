"""What can be done with a stream of predictions, in one pass and without keeping them.

`relabelled`, `painted`, `formatted`, `kept` and `with_progress` hand every prediction on, so that
they can be chained; `score` is an end of the chain.
"""
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.image import imdenormalize, to_displayable
from mmcv_replace.runner import get_dist_info
from mmcv_replace.utils import path_inside, track_iter_progress
from mmcv_replace.utils.errors import ConfigError, DataError

from .collect import gather_results
from .confusion import ConfusionMatrix
from .labels import remap_labels
from .overrides import labels_of, takes
from .predict import Prediction

# Suffixes of files that OpenCV writes, but without colours.
GREY = ('.pgm', '.pbm')


def score(predictions: Iterable[Prediction], dataset: Dataset) -> ConfusionMatrix:
    """Compare every prediction with the dataset's annotation of the same index.

    Whatever method of the dataset gives it, see `overrides.labels_of`.
    """
    if not dataset.CLASSES:
        raise DataError(f'{type(dataset).__name__} has no CLASSES, so nothing can be scored; give '
                        "it 'classes' in the config")
    confusion = ConfusionMatrix(len(dataset.CLASSES), dataset.ignore_index)
    labels = labels_of(dataset)
    for prediction in predictions:
        confusion.update(prediction.label_map, labels(prediction.index), sample_name(prediction))
    return confusion


def relabelled(predictions: Iterable[Prediction], order: Sequence[int]) -> Iterator[Prediction]:
    """Replace each predicted class by `order[class]`, its number in the dataset."""
    table = dict(enumerate(order))
    for prediction in predictions:
        yield replace(prediction, label_map=remap_labels(prediction.label_map, table))


def painted(
    predictions: Iterable[Prediction],
    model: nn.Module,
    dataset: Dataset,
    out_dir: str | Path | None = None,
    show: bool = False,
    opacity: float = 0.5,
    legend: bool = False,
) -> Iterator[Prediction]:
    """Write each prediction over its image to `out_dir`, and with `show` to the screen.

    `legend` is for the model's `show_result`, which lists the classes then.
    The predictions need their `image`. A model wrapped for training may be given.
    """
    model = getattr(model, 'module', model)
    more = dict(legend=True) if legend else {}  # which a show_result of the user's may not take
    for prediction in predictions:
        out_file = None if out_dir is None else str(path_inside(out_dir, _picture(prediction)))
        model.show_result(original_image(prediction), [prediction.label_map],
                          palette=dataset.PALETTE, show=show, out_file=out_file, opacity=opacity,
                          **more)
        yield prediction


def formatted(
    predictions: Iterable[Prediction], dataset: Dataset, out_dir: str | Path, **options: object
) -> Iterator[Prediction]:
    """Write each prediction to `out_dir` as the dataset's test server wants it.

    A `format_results` of the user's that takes no `indices` is called once at the end, on the first
    process, with those of all; `options` are for it. Raises ConfigError for one that it lacks.
    """
    write = dataset.format_results
    for name in options:
        if not takes(write, name):
            raise ConfigError(f'--eval-options {name}=...: format_results of the dataset does not '
                              'take it; out_dir=DIR says where the files go')
    at_once = not takes(write, 'indices')
    label_maps = []
    for prediction in predictions:
        if at_once:
            label_maps.append((prediction.index, [prediction.label_map]))
        else:
            write([prediction.label_map], str(out_dir), indices=[prediction.index], **options)
        yield prediction
    everything = gather_results(label_maps) if at_once else None
    if everything is not None:
        write(everything, str(out_dir), **options)


def kept(
    predictions: Iterable[Prediction], results: list[tuple[int, np.ndarray]]
) -> Iterator[Prediction]:
    """Append (index, label map) of each prediction to `results`."""
    for prediction in predictions:
        results.append((prediction.index, prediction.label_map))
        yield prediction


def with_progress(predictions: Iterator[Prediction], total: int) -> Iterator[Prediction]:
    """Show on rank 0 how many of `total` predictions are done."""
    return track_iter_progress((predictions, total)) if get_dist_info()[0] == 0 else predictions


def sample_name(prediction: Prediction) -> str:
    """The image's file name within its dataset, or the sample's number where it has none."""
    return prediction.meta.get('ori_filename') or f'sample_{prediction.index}.png'


def _picture(prediction: Prediction) -> str:
    """The sample's name, with a suffix of coloured pictures where its own is of other files."""
    name = sample_name(prediction)
    coloured = cv2.haveImageWriter(name) and Path(name).suffix.lower() not in GREY
    return name if coloured else f'{name}.png'


def original_image(prediction: Prediction) -> np.ndarray:
    """The BGR uint8 image [H, W, 3] in its original size, recovered from what the model saw.

    Images of other channels or values than those of bytes are shown as `to_displayable` says.
    """
    meta = prediction.meta
    norm = meta['img_norm_cfg']
    pixels = prediction.image.permute(1, 2, 0).cpu().numpy()
    image = imdenormalize(pixels, np.asarray(norm['mean']), np.asarray(norm['std']),
                          to_bgr=norm['to_rgb'])
    height, width = meta['img_shape'][:2]
    image = to_displayable(image[:height, :width])
    height, width = meta['ori_shape'][:2]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
