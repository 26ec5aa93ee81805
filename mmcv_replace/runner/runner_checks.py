"""Checks of what a runner is given, with the types of error that mmcv raises there."""
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..parallel import is_module_wrapper
from ..utils.errors import ConfigError, ConfigTypeError, UsageError


def check_parts(name: str, model: nn.Module, batch_processor: object, optimizer: object,
                work_dir: object, logger: object, meta: object, max_iters: int | None,
                max_epochs: int | None) -> None:
    """Raise an error unless the arguments of a runner's constructor are usable; `name`: its class.

    ConfigTypeError for wrong types, ConfigError for a model without train_step, and UsageError if
    there is a batch_processor besides.
    """
    _check_step(model, batch_processor)
    _check_optimizer(optimizer)
    if work_dir is not None and not isinstance(work_dir, str | Path):
        raise ConfigTypeError(f'{name}: work_dir is a path or None, not {work_dir!r}')
    if logger is not None and not isinstance(logger, logging.Logger):
        raise ConfigTypeError(f'{name}: logger is a logging.Logger or None, not {logger!r}')
    check_meta(meta)
    if max_iters is not None and max_epochs is not None:
        raise ConfigError(f'{name}: Only one of max_iters and max_epochs can be set, not both')


def check_meta(meta: object) -> None:
    """Raise ConfigTypeError unless `meta` is a dict or None."""
    if meta is not None and not isinstance(meta, dict):
        raise ConfigTypeError(f'meta of a checkpoint is a dict or None, not {meta!r}')


def check_outputs(outputs: Any) -> dict[str, Any]:
    """What a step returned; ConfigTypeError if it is no dict."""
    if not isinstance(outputs, dict):
        raise ConfigTypeError('train_step, val_step and batch_processor return a dict with the '
                              f'loss, not {type(outputs).__name__}')
    return outputs


def _check_step(model: nn.Module, batch_processor: Callable[..., Any] | object | None) -> None:
    bare = model.module if is_module_wrapper(model) else model
    if batch_processor is None:
        if not hasattr(bare, 'train_step'):
            raise ConfigError(f'{type(bare).__name__} cannot be trained: it needs a method '
                              'train_step(data_batch, optimizer)')
        return
    if not callable(batch_processor):
        raise ConfigTypeError(f'batch_processor is a function or None, not {batch_processor!r}')
    warnings.warn('batch_processor is of old versions of mmcv: give the model a train_step and a '
                  'val_step', UserWarning, stacklevel=4)
    if hasattr(bare, 'train_step') or hasattr(bare, 'val_step'):
        raise UsageError(f'{type(bare).__name__} has a train_step or val_step, and there is a '
                         'batch_processor: leave one of them out')


def _check_optimizer(optimizer: object) -> None:
    several = optimizer if isinstance(optimizer, dict) else {'optimizer': optimizer}
    for name, each in several.items():
        missing = each is None and several is not optimizer
        if not missing and not isinstance(each, torch.optim.Optimizer):
            raise ConfigTypeError('the runner needs one torch optimizer, a dict of such, or None; '
                                  f'{name} is {type(each).__name__}')
