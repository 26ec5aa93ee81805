"""Gives all processes the same running statistics."""
from ...parallel.allreduce import allreduce_params
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook


@HOOKS.register_module()
class SyncBuffersHook(Hook):
    """Replaces the model's buffers, such as those of batch norms, by their means over processes.

    After each epoch, and with IterBasedRunner after the run; `distributed=False`: never.
    """

    def __init__(self, distributed: bool = True) -> None:
        self.distributed = distributed

    def after_epoch(self, runner: BaseRunner) -> None:
        if self.distributed:
            allreduce_params(runner.model.buffers())
