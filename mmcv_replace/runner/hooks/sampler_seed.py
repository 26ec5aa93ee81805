"""Shuffles the samples anew each epoch, for runners of other packages."""
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook
from ..iter_loader import set_sampler_epoch


@HOOKS.register_module()
class DistSamplerSeedHook(Hook):
    """Sets the epoch of the sampler; only for runners that, unlike ours, do not do so."""

    def before_train_epoch(self, runner: BaseRunner) -> None:
        set_sampler_epoch(runner.data_loader, runner.epoch)
