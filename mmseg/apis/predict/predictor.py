"""A model that only predicts: found by one name, loaded, and made as fast as it can be."""
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.device import resolve_device, set_kernel_search
from mmcv_replace.device_start import start_device
from mmcv_replace.runner import precision_from_config
from mmcv_replace.runner.checkpoint import read_meta
from mmcv_replace.runner.checkpoints.pretrained import resolve_checkpoint
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, MissingCheckpointError
from mmseg.prediction.classes import class_count
from mmseg.zoo import find_model

from ..acceleration import prepare_inference
from ..cli import complete_config, load_config
from ..inference import load_weights
from ..labels.configured import configured_names
from ..model import build_model, wrap_model
from ..saved_config import read_saved_config
from ..settings import check_settings

CONFIGS = ('.py', '.json', '.yaml', '.yml')
WEIGHTS = ('.pth', '.pt', '.safetensors', '.ckpt')


def find_predictor(name: str | os.PathLike, checkpoint: str | None = None,
                   options: Mapping[str, object] | None = None) -> tuple[Config, str]:
    """The config and the checkpoint that `name` stands for.

    `name` is a checkpoint, a file or an address, which carries its config; a config file, to which
    `checkpoint` belongs; or the name of a published model, whose weights are fetched without it.
    `options` change the config. Raises ConfigError where one of the two is not to be had.
    """
    name = os.fspath(name)
    if name.endswith(CONFIGS) or not _is_checkpoint(name):
        return load_config(name, options), checkpoint or _weights_of(name)
    if checkpoint is not None:
        raise ConfigError(f'{name} and --checkpoint {checkpoint} are two checkpoints: give one, or '
                          'a config and its checkpoint')
    file = str(resolve_checkpoint(name))
    return complete_config(saved_config(file), options), file


def _weights_of(name: str) -> str:
    """Address of the weights of a published model; ConfigError for a config file."""
    model = find_model(name)
    if model is None:
        raise ConfigError(f'{name} says how the model is built, and not its weights: add '
                          '--checkpoint FILE, or give the checkpoint of a training in the place of '
                          'the config, which it carries')
    return model.address()


def _is_checkpoint(name: str) -> bool:
    if '://' in name or os.path.exists(name):
        return True
    if name.endswith(WEIGHTS):
        raise MissingCheckpointError(f'the checkpoint {name} does not exist')
    return False


def saved_config(checkpoint: str | Path) -> Config:
    """The config in the meta data of a checkpoint, which is read without executing it.

    Raises ConfigError where there is none that can be used.
    """
    remedy = f'give the config before the images, and --checkpoint {checkpoint}'
    meta = read_meta(checkpoint).get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    text = meta.get('config')
    if not isinstance(text, str):
        newer = ', only one in the dialect of mmsegmentation 1.x' if meta.get('cfg') else ''
        raise ConfigError(f'{checkpoint} has no config in it{newer}: {remedy}')
    return read_saved_config(text, checkpoint, remedy)


def load_predictor(cfg: Config, checkpoint: str, device: str = 'auto',
                   averaged: bool = False) -> nn.Module:
    """The model of a config with weights, which predicts as in `tools/test.py`, wrapped likewise.

    `averaged` loads the averaged weights of a run with an EMAHook. The model inside has classes and
    palette of the checkpoint, or else of the data set in the config, and the config as `cfg`.
    """
    check_settings(cfg)
    chosen = resolve_device(device)
    start_device(chosen, cfg.get(chosen.type))
    with DeferredInit() as init:
        model = build_model(cfg)
    load_weights(model, checkpoint, averaged, cfg.get('match_weights', True))
    init.finish()
    if getattr(model, 'CLASSES', None) is None:
        names, palette = configured_names((cfg.get('data') or {}).get('test') or {})
        # The config of a model with a head of other classes may still name its former data set.
        if names is None or len(names) == class_count(model):
            model.CLASSES, model.PALETTE = names, palette
    model.cfg = cfg
    return prepare_predictor(model, cfg, chosen).eval()


def prepare_predictor(model: nn.Module, cfg: Config, device: torch.device) -> nn.Module:
    """A model with loaded weights, made fast and wrapped for its device and precision."""
    # Windows have one size; whole images have many, and a search for each takes too long.
    set_kernel_search(bool(cfg.get('cudnn_benchmark')) and by_windows(model))
    model = prepare_inference(model, cfg, device)
    return wrap_model(model, device, distributed=False,
                      precision=precision_from_config(cfg, device))


def by_windows(model: nn.Module) -> bool:
    """Whether a segmentor predicts by windows; one of a user may have no test_cfg."""
    return (getattr(model, 'test_cfg', None) or {}).get('mode') == 'slide'
