"""The runner whose length is a number of epochs."""
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader

from ..utils.errors import ConfigError
from .base_runner import BaseRunner
from .builder import RUNNERS
from .iter_loader import no_batch_error, position_in_data, set_sampler_epoch
from .workflow import Workflow


@RUNNERS.register_module()
class EpochBasedRunner(BaseRunner):
    """Runs `max_epochs` passes over the training data."""

    def train(self, data_loader: DataLoader, **kwargs: Any) -> None:
        """One training epoch."""
        self.model.train()
        self.mode = 'train'
        self.data_loader = data_loader
        self.call_hook('before_train_epoch')
        first = set_sampler_epoch(data_loader, self._epoch, self._samples)
        self._samples = 0
        self._in_epoch = True
        for data_batch in self._batches(data_loader, first):
            self._step(data_batch, **kwargs)
            self._iter += 1
            if self.stopped is not None:  # between two batches, as the checkpoint says
                return
        self._in_epoch = False
        self.call_hook('after_train_epoch')
        self._epoch += 1

    def val(self, data_loader: DataLoader, **kwargs: Any) -> None:
        """One validation epoch."""
        self.model.eval()
        with self._validating(data_loader):
            for data_batch in self._batches(data_loader):
                self._val_step(data_batch, **kwargs)

    def _batches(self, data_loader: DataLoader, first: int = 0) -> Iterator[Any]:
        """The batches of one pass, from the index `first` on; measures the waiting for each."""
        if len(data_loader) == 0:
            raise no_batch_error()
        batches = iter(data_loader)
        self._inner_iter = first - 1
        for index in range(first, len(data_loader)):
            started = time.perf_counter()
            try:
                data_batch = next(batches)
            except StopIteration:  # a pass that was resumed between two batches is shorter
                return
            self.data_time = time.perf_counter() - started
            self._inner_iter = index
            yield data_batch

    def run(self, data_loaders: Sequence[DataLoader], workflow: Workflow,
            max_epochs: int | None = None, **kwargs: Any) -> None:
        """See BaseRunner; units are epochs. `max_epochs` replaces that of the constructor."""
        if max_epochs is not None:
            self._max_epochs = max_epochs
        super().run(data_loaders, workflow, **kwargs)

    def _plan(self, data_loaders: Sequence[DataLoader], workflow: Workflow) -> str:
        if self._max_epochs is None:
            raise ConfigError("EpochBasedRunner needs max_epochs: runner = dict("
                              "type='EpochBasedRunner', max_epochs=100)")
        first_train = [mode for mode, _ in workflow].index('train')
        self._max_iters = self._max_epochs * len(data_loaders[first_train])
        return f'{self._max_epochs} epochs'

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._flow, self._flow_done = state.get('flow', (0, 0))
        self._samples = (state.get('data') or (self._epoch, 0))[1]
        self._in_epoch = False

    def state_dict(self) -> dict[str, Any]:
        # While hooks run after an epoch, the workflow does not count it yet.
        done = self._flow_done + self.next_epoch - self._epoch
        if not self._in_epoch:
            return {'flow': (self._flow, done), 'data': (self.next_epoch, 0)}
        batches = self._inner_iter + 1
        return {'flow': (self._flow, done),
                'data': position_in_data(self.data_loader, self._epoch, batches)}

    def _goes_on(self) -> bool:
        return self._epoch < self._max_epochs and self.stopped is None

    def _run_workflow(self, data_loaders: Sequence[DataLoader], workflow: Workflow,
                      **kwargs: Any) -> None:
        while self._goes_on() or self._flow > 0:
            (mode, count), data_loader = workflow[self._flow], data_loaders[self._flow]
            while self._flow_done < count and (mode != 'train' or self._goes_on()):
                getattr(self, mode)(data_loader, **kwargs)
                self._flow_done += 1
            self._flow, self._flow_done = (self._flow + 1) % len(workflow), 0


@RUNNERS.register_module()
class Runner(EpochBasedRunner):
    """The name of EpochBasedRunner in old versions of mmcv."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn('Runner is the old name of EpochBasedRunner: use the new one',
                      DeprecationWarning, stacklevel=2)
        super().__init__(*args, **kwargs)
