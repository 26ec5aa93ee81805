"""Training that is counted in iterations."""
import time
from collections.abc import Sequence

from torch.utils.data import DataLoader

from ..utils.errors import ConfigError
from .base_runner import BaseRunner
from .builder import RUNNERS
from .iter_loader import IterLoader


@RUNNERS.register_module()
class IterBasedRunner(BaseRunner):
    """Runs `max_iters` training iterations, starting the data over as often as needed."""

    counts_by_epoch = False

    def train(self, data_loader: IterLoader) -> None:
        """One training iteration."""
        self.model.train()
        self.mode = 'train'
        data_batch = self._next_batch(data_loader)
        self._epoch = data_loader.epoch
        self.next_epoch = self._epoch + 1
        self._step(data_batch)
        self._inner_iter += 1
        self._iter += 1

    def val(self, data_loader: IterLoader) -> None:
        """One validation iteration."""
        self.model.eval()
        self.mode = 'val'
        self._val_step(self._next_batch(data_loader))
        self._inner_iter += 1

    def _next_batch(self, data_loader: IterLoader) -> object:
        self.data_loader = data_loader
        started = time.perf_counter()
        data_batch = next(data_loader)
        self.data_time = time.perf_counter() - started
        return data_batch

    def run(self, data_loaders: Sequence[DataLoader], workflow: Sequence[tuple[str, int]],
            max_iters: int | None = None) -> None:
        """As of BaseRunner; units are iterations. `max_iters` replaces that of the constructor."""
        if max_iters is not None:
            self._max_iters = max_iters
        super().run(data_loaders, workflow)

    def _plan(self, data_loaders: Sequence[DataLoader],
              workflow: Sequence[tuple[str, int]]) -> str:
        if self._max_iters is None:
            raise ConfigError("IterBasedRunner needs max_iters: runner = dict("
                              "type='IterBasedRunner', max_iters=20000)")
        return f'{self._max_iters} iters'

    def _run_workflow(self, data_loaders: Sequence[DataLoader],
                      workflow: Sequence[tuple[str, int]]) -> None:
        loaders = [IterLoader(loader, self._epoch) for loader in data_loaders]
        self.call_hook('before_epoch')
        while self._iter < self._max_iters:
            for (mode, count), loader in zip(workflow, loaders, strict=True):
                self._inner_iter = 0
                if mode == 'train':
                    for _ in range(min(count, self._max_iters - self._iter)):
                        self.train(loader)
                else:
                    self._validate(loader, count)
        self.call_hook('after_epoch')

    def _validate(self, loader: IterLoader, count: int) -> None:
        self.mode = 'val'
        self.data_loader = loader
        self.call_hook('before_val_epoch')
        for _ in range(count):
            self.val(loader)
        self.call_hook('after_val_epoch')
