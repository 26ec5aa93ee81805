"""`tools/print_config.py --explain`: where a value comes from, also a default of a component."""
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import mmseg.report  # noqa: F401, whose hook a config may name
from mmcv_replace.cnn.bricks import registry as layers
from mmcv_replace.runner import HOOKS
from mmcv_replace.runner.builder import RUNNERS
from mmcv_replace.runner.hooks.lr_updater import LrUpdaterHook
from mmcv_replace.runner.hooks.momentum_updater import MomentumUpdaterHook
from mmcv_replace.runner.optimizer.builder import OPTIMIZERS
from mmcv_replace.utils import Config
from mmcv_replace.utils.checks.type_check import parameters_along
from mmcv_replace.utils.config.explain import find_value
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean, short
from mmseg.core.seg.builder import PIXEL_SAMPLERS
from mmseg.datasets.builder import DATASETS, PIPELINES
from mmseg.models.builder import BACKBONES, HEADS, LOSSES, NECKS, SEGMENTORS

REGISTRIES = (SEGMENTORS, BACKBONES, NECKS, HEADS, LOSSES, PIXEL_SAMPLERS, DATASETS, PIPELINES,
              RUNNERS, OPTIMIZERS, HOOKS, layers.NORM_LAYERS, layers.CONV_LAYERS,
              layers.ACTIVATION_LAYERS, layers.PADDING_LAYERS, layers.UPSAMPLE_LAYERS,
              layers.PLUGIN_LAYERS)
# Sections without a type, which may be absent -> the component that they are arguments of.
IMPLIED = {
    'checkpoint_config': 'CheckpointHook',
    'evaluation': 'EvalHook',
    'nonfinite': 'CheckInvalidLossHook',
    'optimizer_config': 'OptimizerHook',
    'preemption': 'PreemptionHook',
}
# Sections whose policy names the component -> its base class.
POLICIES = {'lr_config': LrUpdaterHook, 'momentum_config': MomentumUpdaterHook}
COUNTING = (*POLICIES, 'checkpoint_config', 'evaluation', 'log_config')
# Key -> when its default is replaced.
REPLACED = {
    'optimizer.fused': 'True is chosen where torch has such a kernel and a trial shows it right',
    'optimizer.foreach': 'a fused kernel is chosen where torch has one',
}


def explain_key(cfg: Config, key: str) -> str:
    """The value at a dotted key with the files and options that set it, or whose default it is.

    Raises ConfigError for a key that neither the config nor a component knows.
    """
    try:
        return cfg.explain(key)
    except ConfigError as error:
        value, origin = _resolve(cfg, key, error)
    root, name = key.partition('.')[0], key.rpartition('.')[2]
    if name == 'by_epoch' and root in COUNTING:
        origin += '; for a hook of the config that of the runner, which counts iterations or epochs'
    elif key in REPLACED:
        origin += f'; {REPLACED[key]}'
    return f'{key} = {short(value, 70)}  # {origin}'


def _resolve(cfg: Config, key: str, error: ConfigError) -> tuple[Any, str]:
    """The default value at a key and a description of its origin; raises `error` without one."""
    parent, _, name = key.rpartition('.')
    if not parent:
        raise error
    holder, origin = _holder(cfg, parent, error)
    if name in holder:  # the holder is itself a default
        return holder[name], origin
    if parent.startswith('log_config.hooks.') and name == 'interval' and (
            'interval' in cfg.log_config):
        return cfg.log_config.interval, cfg.explain('log_config.interval').partition('# ')[2] + (
            ' (log_config.interval)')
    component = _component(parent, holder)
    if component is None:
        raise error
    found = dict(_defaults(component))
    if name not in found:
        raise ConfigError(f'{error}. {component.__name__} does not take it either'
                          f'{did_you_mean(name, found)}')
    value, home = found[name]
    if value is inspect.Parameter.empty:
        raise ConfigError(f'{key} is not set, and {component.__name__} has no default for it')
    return value, f'default of {component.__name__}, in {home}'


def _holder(cfg: Config, key: str, error: ConfigError) -> tuple[dict[str, Any], str]:
    """The dict at a key, from the config or a default, and the origin of a default, else ''."""
    try:
        value, origin = find_value(cfg, key)[0], ''
    except ConfigError:
        value, origin = ({}, '') if key in IMPLIED else _resolve(cfg, key, error)
    if value is None and key in IMPLIED:
        value = {}
    if not isinstance(value, dict):
        raise error
    return value, origin


def _component(key: str, described: dict[str, Any]) -> Callable[..., Any] | None:
    """The class or function that the dict at a key holds the arguments of; None if unknown."""
    kind = described.get('type')
    if kind is None and key in POLICIES:
        policy = str(described.get('policy')).replace('_', '')
        wanted = f'{policy}{POLICIES[key].__name__}'.lower()
        kind = next((name for name in HOOKS if name.lower() == wanted), None)
    elif kind is None:
        kind = IMPLIED.get(key)
    if callable(kind):
        return kind
    return next((registry.get(kind) for registry in REGISTRIES if kind in registry), None)


def _defaults(component: Callable[..., Any]) -> Iterator[tuple[str, tuple[Any, str]]]:
    """Name, default and defining function of each argument, also of bases that get **kwargs."""
    seen = set()
    for function, parameter in parameters_along(component):
        if parameter.name not in seen and parameter.kind not in (
                parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            seen.add(parameter.name)
            name = function.__qualname__.removesuffix('.__init__')
            yield parameter.name, (parameter.default, f'{function.__module__}.{name}')
