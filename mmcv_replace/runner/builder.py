"""The runner that a config names."""
import copy
from collections.abc import Callable
from typing import Any

from ..utils import Registry
from .base_runner import BaseRunner

RUNNERS = Registry('runner', base=BaseRunner, modules={
    f'{__package__}.epoch_based_runner': ['EpochBasedRunner', 'Runner'],
    f'{__package__}.iter_based_runner': ['IterBasedRunner'],
})
RUNNER_BUILDERS = Registry('runner constructor', base=Callable, modules={
    f'{__package__}.default_constructor': ['DefaultRunnerConstructor'],
})


def build_runner_constructor(cfg: dict[str, Any]) -> Any:
    """The object that builds a runner when called without arguments."""
    return RUNNER_BUILDERS.build(cfg)


def build_runner(cfg: dict[str, Any], default_args: dict[str, Any] | None = None) -> Any:
    """The runner of `runner = dict(type='IterBasedRunner', max_iters=20000)`.

    `constructor` in it names a class of RUNNER_BUILDERS that makes the runner.
    """
    if not isinstance(cfg, dict):
        return RUNNERS.build(cfg, default_args)  # raises the error
    runner_cfg = copy.copy(cfg)
    constructor = runner_cfg.pop('constructor', 'DefaultRunnerConstructor')
    return build_runner_constructor({'type': constructor, 'runner_cfg': runner_cfg,
                                     'default_args': default_args})()
