"""Gives memory back that the device keeps for later."""
from ...device import empty_cache
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook


@HOOKS.register_module()
class EmptyCacheHook(Hook):
    """Frees the device's cached memory before or after each epoch, or after each iteration.

    That makes room for other programs; the training itself becomes slower.
    """

    def __init__(self, before_epoch: bool = False, after_epoch: bool = True,
                 after_iter: bool = False) -> None:
        self._before_epoch = before_epoch
        self._after_epoch = after_epoch
        self._after_iter = after_iter

    def before_epoch(self, runner: BaseRunner) -> None:
        if self._before_epoch:
            empty_cache(runner.device)

    def after_epoch(self, runner: BaseRunner) -> None:
        if self._after_epoch:
            empty_cache(runner.device)

    def after_iter(self, runner: BaseRunner) -> None:
        if self._after_iter:
            empty_cache(runner.device)
