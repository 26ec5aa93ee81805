"""A hook made from a function."""
from collections.abc import Callable

from ...utils.errors import ConfigError
from ...utils.suggest import did_you_mean
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook


@HOOKS.register_module()
class ClosureHook(Hook):
    """Calls `fn(runner)` at the stage `fn_name`, such as 'after_train_epoch'."""

    def __init__(self, fn_name: str, fn: Callable[[BaseRunner], None]) -> None:
        if not callable(getattr(Hook, fn_name, None)):
            raise ConfigError(f'ClosureHook: there is no stage {fn_name!r}'
                              f'{did_you_mean(fn_name, Hook.stages)}')
        setattr(self, fn_name, fn)
