"""Training that is counted in epochs."""
import time
from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader

from ..utils.errors import ConfigError
from .base_runner import BaseRunner
from .builder import RUNNERS
from .iter_loader import no_batch_error, set_sampler_epoch


@RUNNERS.register_module()
class EpochBasedRunner(BaseRunner):
    """Runs `max_epochs` passes over the training data."""

    def train(self, data_loader: DataLoader) -> None:
        """One training epoch."""
        self.model.train()
        self.mode = 'train'
        self.data_loader = data_loader
        self.next_epoch = self._epoch
        set_sampler_epoch(data_loader, self._epoch)
        self.call_hook('before_train_epoch')
        for data_batch in self._batches(data_loader):
            self._step(data_batch)
            self._iter += 1
        self.next_epoch = self._epoch + 1
        self.call_hook('after_train_epoch')
        self._epoch += 1

    def val(self, data_loader: DataLoader) -> None:
        """One validation epoch."""
        self.model.eval()
        self.mode = 'val'
        self.data_loader = data_loader
        self.call_hook('before_val_epoch')
        for data_batch in self._batches(data_loader):
            self._val_step(data_batch)
        self.call_hook('after_val_epoch')

    def _batches(self, data_loader: DataLoader) -> Iterator[Any]:
        """The batches of one pass; takes the time that each is waited for."""
        if len(data_loader) == 0:
            raise no_batch_error()
        batches = iter(data_loader)
        for index in range(len(data_loader)):
            started = time.perf_counter()
            data_batch = next(batches)
            self.data_time = time.perf_counter() - started
            self._inner_iter = index
            yield data_batch

    def run(self, data_loaders: Sequence[DataLoader], workflow: Sequence[tuple[str, int]],
            max_epochs: int | None = None) -> None:
        """As of BaseRunner; units are epochs. `max_epochs` replaces that of the constructor."""
        if max_epochs is not None:
            self._max_epochs = max_epochs
        super().run(data_loaders, workflow)

    def _plan(self, data_loaders: Sequence[DataLoader],
              workflow: Sequence[tuple[str, int]]) -> str:
        if self._max_epochs is None:
            raise ConfigError("EpochBasedRunner needs max_epochs: runner = dict("
                              "type='EpochBasedRunner', max_epochs=100)")
        first_train = [mode for mode, _ in workflow].index('train')
        self._max_iters = self._max_epochs * len(data_loaders[first_train])
        return f'{self._max_epochs} epochs'

    def _run_workflow(self, data_loaders: Sequence[DataLoader],
                      workflow: Sequence[tuple[str, int]]) -> None:
        while self._epoch < self._max_epochs:
            for (mode, count), data_loader in zip(workflow, data_loaders, strict=True):
                if mode == 'train':
                    for _ in range(min(count, self._max_epochs - self._epoch)):
                        self.train(data_loader)
                else:
                    for _ in range(count):
                        self.val(data_loader)
