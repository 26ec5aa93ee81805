"""A new order of the samples each epoch."""
from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook
from ..iter_loader import set_sampler_epoch


@HOOKS.register_module()
class DistSamplerSeedHook(Hook):
    """Tells the sampler the epoch; for runners of your own, the ones here do so themselves."""

    def before_train_epoch(self, runner: BaseRunner) -> None:
        set_sampler_epoch(runner.data_loader, runner.epoch)
