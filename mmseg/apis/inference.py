"""Use a trained model from Python: load it, predict images, draw the predictions."""
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.device import resolve_device
from mmcv_replace.device_start import start_device
from mmcv_replace.parallel import is_module_wrapper, scatter
from mmcv_replace.parallel.data_parallel import device_of
from mmcv_replace.runner import _load_checkpoint, load_checkpoint, load_state_dict
from mmcv_replace.runner.checkpoints.averaged import averaged_state
from mmcv_replace.runner.checkpoints.weights import weights_in
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.misc.optional import import_optional
from mmseg.core.evaluation import Prediction, ScoreKind, evaluating
from mmseg.core.evaluation.predict import predict_batch
from mmseg.prediction.pipeline import LoadImage as LoadImage  # user code imports it here
from mmseg.prediction.pipeline import build_inference_pipeline
from mmseg.prediction.stream import Image, ImageReader, OnError, predict_stream
from mmseg.zoo import find_model

from .acceleration import fit_autocast, prepare_inference
from .cli import load_config
from .labels.trained_classes import classes_in, list_in
from .model import build_model, check_loaded
from .settings import check_settings


def init_segmentor(config: str | os.PathLike | Config, checkpoint: str | None = None,
                   device: str = 'auto', averaged: bool = False) -> nn.Module:
    """Build the model of a config for inference, with the weights of `checkpoint`.

    `config` may be the name of a published model, whose weights are fetched without `checkpoint`.
    Classes and palette come from the checkpoint; `model.cfg` is the config. `averaged` loads the
    averaged weights that a run with an EMAHook saves.
    """
    if not isinstance(config, Config):
        model = find_model(os.fspath(config))
        if model is not None and checkpoint is None:
            checkpoint = model.address()
        config = load_config(config)
    check_settings(config)
    chosen = resolve_device(device)
    start_device(chosen, config.get(chosen.type))
    with DeferredInit() as init:
        model = build_model(config)
    if checkpoint is not None:
        load_weights(model, checkpoint, averaged, config.get('match_weights', True))
    init.finish()
    model.cfg = config
    return prepare_inference(model.to(chosen).eval(), config, chosen, keep_keys=True)


def load_weights(model: nn.Module, checkpoint: str, averaged: bool = False,
                 whole: bool = False) -> dict:
    """Load weights, classes and palette of a checkpoint into the model; returns the checkpoint.

    Files of mmsegmentation 0.x hold CLASSES and PALETTE, those of 1.x have them in `dataset_meta`.
    `averaged` loads the averaged weights. Raises CheckpointError if there are none, and, with
    `whole`, if weights are missing that the model needs for predictions.
    """
    if averaged:
        loaded = _load_checkpoint(checkpoint)
        weights = averaged_state(loaded, checkpoint)
        load_state_dict(model, weights, source=str(checkpoint))
    else:
        loaded = load_checkpoint(model, checkpoint, map_location='cpu')
        weights = weights_in(loaded)
    if whole:
        check_loaded(model, weights, str(checkpoint))
    classes, palette = classes_in(loaded), list_in(loaded, 'PALETTE')
    if classes is not None:
        model.CLASSES = classes
    if palette is not None:
        model.PALETTE = palette
    return loaded


def inference_segmentor(model: nn.Module, img: Image | Sequence[Image]) -> list[np.ndarray]:
    """Predict one image or several: segmentation maps [H, W], see `predict_images`."""
    images = img if isinstance(img, list | tuple) else [img]
    return [prediction.seg_map for prediction in predict_images(model, images)]


def predict_images(model: nn.Module, images: Iterable[Image], scores: ScoreKind | None = None,
                   batch: int = 1) -> Iterator[Prediction]:
    """Predict images in their order, each in its original size.

    An image is a file name, which the loading step of the test pipeline reads, or an array as
    OpenCV reads it: BGR [H, W, 3] or grey [H, W]; if `color_type` of that step is 'unchanged', any
    array that the rest of the pipeline accepts; with `in_channels` in the config the bands in the
    order of the files, [H, W, C] or [C, H, W]. Up to `batch` images of one shape go through the
    model together; with 1 an image is taken when its prediction is asked for. The model may be in
    training, and wrapped for it; its mode is restored. `scores` are those that the predictions
    carry, see `Prediction`. Raises ConfigError for a model without a config, and DataError for an
    image that the pipeline drops.
    """
    if batch < 1:
        raise ConfigError(f'batch={batch}: the number of images that go through the model together '
                          'is 1 or more')
    reader = ImageReader(partial(build_inference_pipeline, config_of(model)))
    yield from predict_read(model, reader, enumerate(images), scores, batch)


def predict_read(model: nn.Module, reader: ImageReader, images: Iterable[tuple[int, Image]],
                 scores: ScoreKind | None = None, batch: int = 1, threads: int = 0,
                 on_error: OnError | None = None) -> Iterator[Prediction]:
    """`predict_images` of numbered images, for the other arguments see `predict_stream`."""
    cfg, device = config_of(model), device_of(model)

    def run(data: dict[str, Any]) -> Sequence[tuple[np.ndarray, np.ndarray | None]]:
        # Not around the stream: between its predictions others may train or ask the model.
        with evaluating(model), torch.no_grad(), _precision_of(model, device):
            fit_autocast(_inner(model), cfg)
            return predict_batch(model, scatter(data, device), scores)

    return predict_stream(run, reader, images, batch, threads, on_error)


def config_of(model: nn.Module) -> Config:
    """The config of a model that may be wrapped; ConfigError if it has none."""
    cfg = getattr(_inner(model), 'cfg', None) or getattr(model, 'cfg', None)
    if cfg is None:
        raise ConfigError('the model has no config: make it with init_segmentor(config, ...), or '
                          'set model.cfg')
    return cfg


def _precision_of(model: nn.Module, device: torch.device) -> AbstractContextManager:
    """Autocast for a model with weights of low precision, as training with opt_level O2 has."""
    low = next((parameter.dtype for parameter in model.parameters()
                if parameter.is_floating_point() and parameter.dtype.itemsize < 4), None)
    return nullcontext() if low is None else torch.autocast(device.type, low)


def _inner(model: nn.Module) -> nn.Module:
    return model.module if is_module_wrapper(model) else model


def show_result_pyplot(
    model: nn.Module, img: Image, result: list[np.ndarray],
    palette: Sequence[Sequence[int]] | None = None, fig_size: tuple[float, float] = (15, 10),
    opacity: float = 0.5, title: str = '', block: bool = True, out_file: str | None = None,
    legend: bool = False, bands: Sequence[int] | None = None,
) -> np.ndarray:
    """Draw `result` over the image with `show_result` of the model, and show it with matplotlib.

    Returns the BGR picture [H, W, 3]. With `out_file` it is written there instead of shown.
    `fig_size` of the figure is in inches; `block` waits until its window is closed; for `bands` see
    `show_result`. Raises MissingModuleError if matplotlib is needed and not installed.
    """
    picture = _inner(model).show_result(img, result, palette=palette, show=False,
                                        opacity=opacity, out_file=out_file,
                                        **(dict(legend=True) if legend else {}),
                                        **({} if bands is None else dict(bands=bands)))
    if out_file is not None:
        return picture
    pyplot = import_optional('matplotlib.pyplot', 'showing a picture',
                             'pip install matplotlib, or give out_file')
    pyplot.figure(figsize=fig_size)
    pyplot.imshow(picture[..., ::-1])
    pyplot.title(title)
    pyplot.tight_layout()
    pyplot.show(block=block)
    return picture
