"""The runner whose length is a number of iterations."""
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from ..utils.errors import ConfigError
from .base_runner import BaseRunner
from .builder import RUNNERS
from .iter_loader import IterLoader
from .workflow import Workflow


@RUNNERS.register_module()
class IterBasedRunner(BaseRunner):
    """Runs `max_iters` training iterations, over as many passes of the data as needed."""

    counts_by_epoch = False

    def train(self, data_loader: IterLoader, **kwargs: Any) -> None:
        """One training iteration."""
        self.model.train()
        self.mode = 'train'
        data_batch = self._next_batch(data_loader)
        self._epoch = data_loader.epoch
        self.next_epoch = self._epoch + 1
        self._step(data_batch, **kwargs)
        self._inner_iter += 1
        self._iter += 1

    def val(self, data_loader: IterLoader, **kwargs: Any) -> None:
        """One validation iteration."""
        self.model.eval()
        self.mode = 'val'
        self._val_step(self._next_batch(data_loader), **kwargs)
        self._inner_iter += 1

    def _next_batch(self, data_loader: IterLoader) -> object:
        self.data_loader = data_loader
        started = time.perf_counter()
        data_batch = next(data_loader)
        self.data_time = time.perf_counter() - started
        return data_batch

    def run(self, data_loaders: Sequence[DataLoader], workflow: Workflow,
            max_iters: int | None = None, **kwargs: Any) -> None:
        """See BaseRunner; units are iterations. `max_iters` replaces that of the constructor."""
        if max_iters is not None:
            self._max_iters = max_iters
        super().run(data_loaders, workflow, **kwargs)

    def _plan(self, data_loaders: Sequence[DataLoader], workflow: Workflow) -> str:
        if self._max_iters is None:
            raise ConfigError("IterBasedRunner needs max_iters: runner = dict("
                              "type='IterBasedRunner', max_iters=20000)")
        return f'{self._max_iters} iters'

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._flow, self._inner_iter = state.get('flow', (0, 0))
        self._positions = state.get('data', [])
        self._loaders: list[IterLoader] = []

    def state_dict(self) -> dict[str, Any]:
        # While hooks run after an iteration, inner_iter does not count it yet.
        done = self._inner_iter + self.finished_iters - self._iter
        return {'flow': (self._flow, done), 'data': [loader.position for loader in self._loaders]}

    def save_checkpoint(self, out_dir: str | Path, filename_tmpl: str = 'iter_{}.pth',
                        meta: dict[str, Any] | None = None, save_optimizer: bool = True,
                        create_symlink: bool = True) -> Path:
        """See BaseRunner."""
        return super().save_checkpoint(out_dir, filename_tmpl, save_optimizer, meta, create_symlink)

    def _goes_on(self) -> bool:
        return self._iter < self._max_iters and self.stopped is None

    def _run_workflow(self, data_loaders: Sequence[DataLoader], workflow: Workflow,
                      **kwargs: Any) -> None:
        positions = self._positions or [None] * len(data_loaders)
        self._loaders = [IterLoader(loader, *(position or (self._epoch,)))
                         for loader, position in zip(data_loaders, positions, strict=True)]
        self.call_hook('before_epoch')
        while self._goes_on() or self._flow > 0:
            (mode, count), loader = workflow[self._flow], self._loaders[self._flow]
            if mode == 'train':
                while self._inner_iter < count and self._goes_on():
                    self.train(loader, **kwargs)
            else:
                with self._validating(loader):
                    while self._inner_iter < count:
                        getattr(self, mode)(loader, **kwargs)
            self._flow = (self._flow + 1) % len(workflow)
            self._inner_iter = 0
        self.call_hook('after_epoch')
