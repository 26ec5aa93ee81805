"""The runner that a config names."""
from typing import Any

from ..utils import Registry
from .base_runner import BaseRunner

RUNNERS = Registry('runner', base=BaseRunner, modules={
    f'{__package__}.epoch_based_runner': ['EpochBasedRunner'],
    f'{__package__}.iter_based_runner': ['IterBasedRunner'],
})


def build_runner(cfg: dict[str, Any], default_args: dict[str, Any] | None = None) -> Any:
    """The runner of `runner = dict(type='IterBasedRunner', max_iters=20000)`."""
    return RUNNERS.build(cfg, default_args)
