"""Use a trained model from Python: load it, predict an image, paint the prediction."""
import os
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.device import resolve_device, start_device
from mmcv_replace.image import imread
from mmcv_replace.parallel import collate, scatter
from mmcv_replace.runner import _load_checkpoint, load_checkpoint, load_state_dict
from mmcv_replace.runner.hooks import averaged_state
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines import Compose
from mmseg.datasets.tuning import set_plan
from mmseg.models import build_segmentor

from .bootstrap import load_config
from .execution import prepare_inference
from .trained_classes import classes_in, first_listed

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
    chosen = resolve_device(device)
    start_device(chosen, config.get(chosen.type))
    with DeferredInit() as init:
        model = build_segmentor(config.model, config.get('train_cfg'), config.get('test_cfg'))
    if checkpoint is not None:
        load_weights(model, checkpoint, averaged)
    init.finish()
    model.cfg = config
    return prepare_inference(model.to(chosen).eval(), config, chosen, keep_keys=True)


def load_weights(model: nn.Module, checkpoint: str, averaged: bool = False) -> dict:
    """Load a checkpoint and give the model its classes and palette; returns the checkpoint.

    Files of the 0.x line keep them as CLASSES and PALETTE, those of 1.x under `dataset_meta`.
    `averaged` loads the averaged weights; CheckpointError where there are none.
    """
    if averaged:
        loaded = _load_checkpoint(checkpoint)
        load_state_dict(model, averaged_state(loaded, checkpoint), source=str(checkpoint))
    else:
        loaded = load_checkpoint(model, checkpoint, map_location='cpu')
    meta = loaded.get('meta') or {}
    newer = meta.get('dataset_meta') or {}
    classes = classes_in(loaded)
    palette = first_listed(meta.get('PALETTE'), newer.get('palette'))
    if classes is not None:
        model.CLASSES = classes
    if palette is not None:
        model.PALETTE = palette
    return loaded


class LoadImage:
    """First step of inference: a file name or a BGR array becomes `results['img']`."""

    def __call__(self, results: dict) -> dict:
        image = results['img']
        is_file = not isinstance(image, np.ndarray)
        results['filename'] = results['ori_filename'] = os.fspath(image) if is_file else None
        results['img'] = imread(image) if is_file else image
        results['img_shape'] = results['ori_shape'] = results['img'].shape
        return results


def inference_segmentor(model: nn.Module, img: Image | Sequence[Image]) -> list[np.ndarray]:
    """Predict one image or several: label maps [H, W] in each image's own size.

    An image is a file name or a BGR uint8 array [H, W, 3]. Preprocessing is the test pipeline
    of the model's config, so a demo and `tools/test.py` see the same pixels.
    """
    if getattr(model, 'cfg', None) is None:
        raise ConfigError('the model has no config: make it with init_segmentor(config, ...)')
    pipeline = Compose([LoadImage(), *model.cfg.data.test.pipeline[1:]])
    set_plan(pipeline, model.cfg.data.get('plan_pipeline') is not False)
    device = next(model.parameters()).device
    images = img if isinstance(img, list | tuple) else [img]
    results = []
    with torch.inference_mode():
        for image in images:
            data = scatter(collate([pipeline(dict(img=image))]), device)
            results += model(return_loss=False, rescale=True, **data)
    return results


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
) -> np.ndarray:
    """Paint `result` over the image, show it with matplotlib, and return the BGR picture.

    Raises ConfigError where matplotlib is not installed; with `out_file` the picture is written
    there and nothing is shown.
    """
    painted = model.show_result(img, result, palette=palette, show=False, opacity=opacity,
                                out_file=out_file)
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


