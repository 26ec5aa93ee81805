"""Use a trained model from Python: load it, predict an image, paint the prediction."""
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.device import resolve_device
from mmcv_replace.device_start import start_device
from mmcv_replace.parallel import collate, is_module_wrapper, scatter
from mmcv_replace.parallel.data_parallel import device_of
from mmcv_replace.runner import _load_checkpoint, load_checkpoint, load_state_dict
from mmcv_replace.runner.checkpoints.weights import get_state_dict
from mmcv_replace.runner.hooks import averaged_state
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation import evaluating

from .acceleration import fit_autocast, prepare_inference
from .cli import load_config
from .inference_pipeline import LoadImage as LoadImage  # where user code looks for it
from .inference_pipeline import build_inference_pipeline
from .labels.trained_classes import classes_in, first_listed
from .model import build_model, check_loaded
from .settings import check_settings

Image = str | os.PathLike | np.ndarray


def init_segmentor(
    config: str | os.PathLike | Config,
    checkpoint: str | None = None,
    device: str = 'auto',
    averaged: bool = False,
) -> nn.Module:
    """Build the model of a config for inference, with the weights of `checkpoint`.

    Classes and palette come from the checkpoint; `model.cfg` keeps the config. `averaged` takes
    the averaged weights of a checkpoint of a run with an EMAHook.
    """
    if not isinstance(config, Config):
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


def load_weights(
    model: nn.Module, checkpoint: str, averaged: bool = False, whole: bool = False
) -> dict:
    """Load a checkpoint and give the model its classes and palette; returns the checkpoint.

    Files of the 0.x line keep them as CLASSES and PALETTE, those of 1.x under `dataset_meta`.
    `averaged` loads the averaged weights; CheckpointError where there are none, and, with `whole`,
    where it lacks weights that the model predicts with.
    """
    if averaged:
        loaded = _load_checkpoint(checkpoint)
        weights = averaged_state(loaded, checkpoint)
        load_state_dict(model, weights, source=str(checkpoint))
    else:
        loaded = load_checkpoint(model, checkpoint, map_location='cpu')
        weights = get_state_dict(loaded)
    if whole:
        check_loaded(model, weights, str(checkpoint))
    meta = loaded.get('meta') or {}
    newer = meta.get('dataset_meta') or {}
    classes = classes_in(loaded)
    palette = first_listed(meta.get('PALETTE'), newer.get('palette'))
    if classes is not None:
        model.CLASSES = classes
    if palette is not None:
        model.PALETTE = palette
    return loaded


def inference_segmentor(model: nn.Module, img: Image | Sequence[Image]) -> list[np.ndarray]:
    """Predict one image or several: label maps [H, W] in each image's own size.

    An image is a file name, which the loader of the test pipeline reads, or an array in the form
    that OpenCV reads: BGR [H, W, 3] or grey [H, W], or, where `color_type` of the loader is
    'unchanged', whatever the pipeline goes on with. So a demo and `tools/test.py` see the same
    pixels. The model may be in training, and wrapped for it; it comes back as it was.
    """
    cfg = getattr(_inner(model), 'cfg', None) or getattr(model, 'cfg', None)
    if cfg is None:
        raise ConfigError('the model has no config: make it with init_segmentor(config, ...), or '
                          'set model.cfg')
    pipeline = build_inference_pipeline(cfg)
    device = device_of(model)
    results = []
    # Not inference mode: tensors of it that a module keeps break the next training step.
    with evaluating(model), torch.no_grad(), _precision_of(model, device):
        fit_autocast(_inner(model), cfg)
        for image in img if isinstance(img, list | tuple) else [img]:
            sample = pipeline(dict(img=image, seg_fields=[]))
            if sample is None:
                raise DataError(f'{_name(image)}: the test pipeline has dropped the image')
            results += model(return_loss=False, rescale=True, **scatter(collate([sample]), device))
    return results


def _precision_of(model: nn.Module, device: torch.device) -> AbstractContextManager:
    """Autocast where weights have low precision, as a training with opt_level O2 leaves them."""
    low = next((parameter.dtype for parameter in model.parameters()
                if parameter.is_floating_point() and parameter.dtype.itemsize < 4), None)
    return nullcontext() if low is None else torch.autocast(device.type, low)


def _name(image: Image) -> str:
    return 'an array' if isinstance(image, np.ndarray) else os.fspath(image)


def _inner(model: nn.Module) -> nn.Module:
    return model.module if is_module_wrapper(model) else model


def show_result_pyplot(
    model: nn.Module,
    img: Image,
    result: list[np.ndarray],
    palette: Sequence[Sequence[int]] | None = None,
    fig_size: tuple[float, float] = (15, 10),
    opacity: float = 0.5,
    title: str = '',
    block: bool = True,
    out_file: str | None = None,
    legend: bool = False,
) -> np.ndarray:
    """Paint `result` over the image, show it with matplotlib, and return the BGR picture.

    Raises ConfigError where matplotlib is not installed; with `out_file` the picture is written
    there and nothing is shown. `legend` lists the classes beside it.
    """
    painted = _inner(model).show_result(img, result, palette=palette, show=False,
                                        opacity=opacity, out_file=out_file,
                                        **(dict(legend=True) if legend else {}))
    if out_file is not None:
        return painted
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ConfigError('showing a picture needs matplotlib: pip install matplotlib, or give '
                          'out_file') from error
    pyplot.figure(figsize=fig_size)
    pyplot.imshow(painted[..., ::-1])
    pyplot.title(title)
    pyplot.tight_layout()
    pyplot.show(block=block)
    return painted


