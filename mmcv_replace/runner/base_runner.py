"""The base class of the runners: state, hooks, checkpoints."""
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from ..parallel import is_module_wrapper
from ..parallel.data_parallel import device_of
from ..utils import mkdir_or_exist
from ..utils.errors import CheckpointError, ConfigError
from .checkpoints import run_state
from .checkpoints.averaged import regular_form
from .checkpoints.files import build_checkpoint, point_latest_at
from .checkpoints.optimizer_state import load_optimizer_state
from .checkpoints.resume_table import Difference, log_differences
from .checkpoints.saver import CheckpointSaver
from .checkpoints.weights import load_checkpoint, load_state_dict
from .dist_utils import get_dist_info
from .hook_registration import HookRegistration
from .log_buffer import LogBuffer
from .optimizer.fused import settle_kernels
from .optimizer.momentum import read_momentum
from .precision import Precision
from .utils import get_host_info, get_time_str
from .workflow import Workflow, check_workflow, warn_if_finished


class BaseRunner(HookRegistration, ABC):
    """Calls `model.train_step` or `val_step` for each batch, and the hooks around it.

    `train_step(data_batch, optimizer)` returns a dict with `loss` (a tensor with gradient),
    `log_vars` (numbers by name; tensors may stay on the device) and `num_samples`. Hooks do all
    else, such as the optimizer's step. `meta` is stored in every checkpoint; `precision` (float32
    by default) is how the step is computed.
    """

    def __init__(self, model: nn.Module, batch_processor: None = None,
                 optimizer: torch.optim.Optimizer | None = None,
                 work_dir: str | Path | None = None, logger: logging.Logger | None = None,
                 meta: dict[str, Any] | None = None, max_iters: int | None = None,
                 max_epochs: int | None = None, precision: Precision | None = None) -> None:
        super().__init__()
        self._check(model, batch_processor, optimizer, max_iters, max_epochs)
        self.model = model
        self.optimizer = optimizer
        self.precision = precision or Precision(device_of(model))
        self.work_dir = None if work_dir is None else str(Path(work_dir).absolute())
        self.logger = logger or logging.getLogger('mmseg')
        self.meta = dict(meta or {})
        self.timestamp = get_time_str()
        self.log_buffer = LogBuffer()
        self.rank, self.world_size = get_dist_info()
        self.mode: str | None = None
        self.data_loader: Any = None
        self.data_batch: Any = None  # of the training iteration under way, on the host
        self.data_time = 0.0  # seconds of waiting for the current batch
        self.outputs: dict[str, Any] = {}
        # Unlike `iter`, these count the current iteration as soon as its step is done; `next_epoch`
        # is the epoch in which a run would begin that resumes from a checkpoint of this moment.
        self.finished_iters = 0
        self.next_epoch = 0
        self.resumed_run: str | None = None  # id of the run whose checkpoint was resumed
        self.resumed_file: Path | None = None  # that checkpoint, if it is another run's
        self.begun_from: set[Path] = set()  # files that are neither deleted nor overwritten
        self.accumulating = False  # the gradients are kept for the step of a later iteration
        self.saver = CheckpointSaver(self.logger)
        self.checkpoint_dir = self.work_dir
        self._epoch = 0
        self._iter = 0
        self._inner_iter = 0
        self.workflow: list[list[Any]] = []
        self._flow = 0  # index of its current entry
        self._collected: tuple[int, list[dict[str, Any]]] | None = None  # with the iteration of it
        self._resumed: dict[str, Any] | None = None  # run_state with which the run begins
        self._max_iters = max_iters
        self._max_epochs = max_epochs
        self.load_state_dict({})
        if self.work_dir is not None:
            mkdir_or_exist(self.work_dir)

    def _check(self, model: nn.Module, batch_processor: object, optimizer: object,
               max_iters: int | None, max_epochs: int | None) -> None:
        if batch_processor is not None:
            raise ConfigError('batch_processor is no longer used: give the model a train_step and '
                              'a val_step')
        if not hasattr(model, 'train_step'):
            raise ConfigError(f'{type(model).__name__} cannot be trained: it needs a method '
                              'train_step(data_batch, optimizer)')
        if optimizer is not None and not isinstance(optimizer, torch.optim.Optimizer):
            raise ConfigError('the runner needs one torch optimizer, not '
                              f'{type(optimizer).__name__}')
        if max_iters is not None and max_epochs is not None:
            raise ConfigError(f'{type(self).__name__}: set max_iters or max_epochs, not both')

    @property
    def epoch(self) -> int:
        """Index of the current epoch."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Index of the current iteration."""
        return self._iter

    @property
    def inner_iter(self) -> int:
        """Index of the current iteration within its epoch or workflow entry."""
        return self._inner_iter

    @property
    def max_epochs(self) -> int | None:
        return self._max_epochs

    @property
    def max_iters(self) -> int | None:
        return self._max_iters

    @property
    def hook_msgs(self) -> dict[str, Any]:
        """State of hooks that a resume restores; part of `meta`."""
        return self.meta.setdefault('hook_msgs', {})

    @property
    def device(self) -> torch.device:
        """Device of the model's parameters."""
        return device_of(self.model)

    @property
    def unwrapped_model(self) -> nn.Module:
        """The model without the wrapper that distributes it over processes or devices."""
        return self.model.module if is_module_wrapper(self.model) else self.model

    @property
    def model_name(self) -> str:
        """Class name of the model."""
        return type(self.unwrapped_model).__name__

    def current_lr(self) -> list[float]:
        """Learning rate of each optimizer group."""
        if self.optimizer is None:
            raise ConfigError('the runner has no optimizer, hence no learning rate')
        return [group['lr'] for group in self.optimizer.param_groups]

    def current_momentum(self) -> list[float]:
        """Momentum (first beta) of each optimizer group."""
        if self.optimizer is None:
            raise ConfigError('the runner has no optimizer, hence no momentum')
        return [read_momentum(group) for group in self.optimizer.param_groups]

    @abstractmethod
    def train(self, data_loader: Any) -> None:
        """One unit (iteration or epoch) of training."""

    @abstractmethod
    def val(self, data_loader: Any) -> None:
        """One unit of validation."""

    @abstractmethod
    def _plan(self, data_loaders: Sequence[DataLoader], workflow: Workflow) -> str:
        """Set the length of the run and return it in words; ConfigError if it is not configured."""

    @abstractmethod
    def _run_workflow(self, data_loaders: Sequence[DataLoader], workflow: Workflow) -> None:
        """Execute the workflow until the run ends."""

    def state_dict(self) -> dict[str, Any]:
        """Position of the run in the workflow and in the data, as plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue the workflow where `state_dict` was called; an empty dict: at its beginning."""
        self._flow = 0

    def run(self, data_loaders: Sequence[DataLoader], workflow: Workflow) -> None:
        """Train: `workflow` lists (mode, how many units), one entry for each data loader.

        For example [('train', 2), ('val', 1)]: validation after every second epoch (iteration).
        """
        check_workflow(data_loaders, workflow)
        length = self._plan(data_loaders, workflow)
        self.logger.info('Start running, host: %s, work_dir: %s', get_host_info(), self.work_dir)
        self.logger.info('Hooks in the order in which they run:\n%s', self.get_hook_info())
        self.logger.info('workflow: %s, max: %s', workflow, length)
        warn_if_finished(self)
        self.workflow = [list(flow) for flow in workflow]
        if self.optimizer is not None:
            settle_kernels(self.optimizer)
        self.call_hook('before_run')
        try:
            self._begin()
            self._run_workflow(data_loaders, workflow)
            self.saver.finish()
        finally:
            try:
                self.call_hook('after_run')
            finally:
                self.saver.close()

    def _begin(self) -> None:
        """Start the workflow at its beginning, or where the resumed checkpoint was written."""
        self._inner_iter = 0
        self.accumulating = False
        self.load_state_dict({})
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            run_state.restore_run_state(self, resumed)

    def _step(self, data_batch: Any) -> None:
        """Run the model on one training batch; `outputs` keeps the result."""
        self.data_batch = data_batch
        self.call_hook('before_train_iter')
        self.outputs = self.model.train_step(data_batch, self.optimizer)
        self.log_buffer.update(self.outputs['log_vars'], self.outputs['num_samples'])
        self.finished_iters = self._iter + 1
        self.call_hook('after_train_iter')
        self.data_batch = None
        self.log_buffer.trim()

    @torch.no_grad()
    def _val_step(self, data_batch: Any) -> None:
        self.call_hook('before_val_iter')
        self.outputs = self.model.val_step(data_batch, self.optimizer)
        self.log_buffer.update(self.outputs['log_vars'], self.outputs['num_samples'])
        self.call_hook('after_val_iter')

    @contextmanager
    def _validating(self, data_loader: Any) -> Iterator[None]:
        """Around a unit of validation: calls its hooks; its values are averaged on their own."""
        self.mode = 'val'
        self.data_loader = data_loader
        with self.log_buffer.validation():
            self.call_hook('before_val_epoch')
            yield
            self.call_hook('after_val_epoch')

    def collect_state(self, hooks: bool = True) -> None:
        """Gather the states of all processes for a checkpoint of this iteration.

        Every process has to call it before the first one saves; otherwise a job of several
        processes resumes with different random numbers. `hooks=False` leaves out what hooks compute
        in before_collect_state, which a resume does not need.
        """
        if hooks:
            self.call_hook('before_collect_state')
        self._collected = self.finished_iters, run_state.gather_process_states(self)

    def build_checkpoint(self, meta: dict[str, Any] | None = None,
                         save_optimizer: bool = True) -> dict[str, Any]:
        """What a checkpoint of now holds, `meta` beside the runner's; tensors are not copied."""
        progress = {'epoch': self.next_epoch, 'iter': self.finished_iters}
        checkpoint = build_checkpoint(self.model, self.optimizer if save_optimizer else None,
                                      {**self.meta, **(meta or {}), **progress})
        iteration, states = self._collected or (None, [])
        checkpoint['run_state'] = run_state.build_run_state(
            self, states if iteration == self.finished_iters else [])
        self.call_hook('before_save_checkpoint', checkpoint)
        return checkpoint

    def save_checkpoint(self, out_dir: str | Path, filename_tmpl: str | None = None,
                        meta: dict[str, Any] | None = None, save_optimizer: bool = True,
                        create_symlink: bool = True) -> Path:
        """Write a checkpoint at once and return its path; CheckpointError if that fails.

        `{}` in `filename_tmpl` stands for the number of iterations (or epochs) done. `meta` is
        added to that of the runner. `create_symlink`: let latest.pth beside the file point at it.
        """
        by_epoch = self.max_epochs is not None
        tmpl = filename_tmpl or ('epoch_{}.pth' if by_epoch else 'iter_{}.pth')
        path = Path(out_dir) / tmpl.format(self.next_epoch if by_epoch else self.finished_iters)
        self.saver.save_now(self.build_checkpoint(meta, save_optimizer), path, tmpl,
                            partial(point_latest_at, path) if create_symlink else None)
        return path

    def begins_from(self, *files: object) -> None:
        """Protect files with which the run begins, such as weights; other values are skipped."""
        names = [os.path.expanduser(file) for file in files if isinstance(file, str | Path)]
        self.begun_from.update(Path(name).resolve() for name in names if os.path.isfile(name))

    def free_path(self, path: Path) -> Path:
        """`path`, or another name in its folder if it is a file that `begins_from` protects."""
        free, count = path, 0
        while free.resolve() in self.begun_from:
            count += 1
            free = path.with_name(f'{path.stem}_{count}{path.suffix}')
        if count:
            self.logger.warning('%s, from which this run began, is kept: the checkpoint of that '
                                'name is written as %s', path, free.name)
        return free

    def load_checkpoint(self, filename: str | Path, map_location: str | torch.device = 'cpu',
                        strict: bool = False) -> dict[str, Any]:
        """Load the weights of a checkpoint, and return the whole checkpoint."""
        self.logger.info('load checkpoint from %s', filename)
        return load_checkpoint(self.model, filename, map_location, strict, self.logger)

    def resume(self, checkpoint: str | Path, resume_optimizer: bool = True,
               map_location: str | torch.device = 'cpu', overrides: Sequence[str] = (),
               compare: Callable[[dict[str, Any]], list[Difference]] | None = None) -> None:
        """Continue the run that wrote `checkpoint`.

        The settings of the optimizer are the checkpoint's except the `overrides`, such as
        'optimizer.lr'. One table lists the differences in the optimizer, in the processes, and
        those that `compare` finds in the checkpoint's meta data. Raises CheckpointError.
        """
        found = self.load_checkpoint(checkpoint, map_location, strict=True)
        loaded = regular_form(found)
        if loaded is not found:
            load_state_dict(self.model, loaded['state_dict'], strict=True, source=str(checkpoint))
        meta = loaded.get('meta') or {}
        if not all(isinstance(meta.get(key), int) for key in ('epoch', 'iter')):
            raise CheckpointError(f'{checkpoint} cannot be resumed: its meta data lack the epoch '
                                  'or the iteration. To start a new run from its weights use '
                                  '--load-from')
        self._epoch = self.next_epoch = meta['epoch']
        self._iter = self.finished_iters = meta['iter']
        self.resumed_run = meta.get('run_id')
        if self.resumed_run is None or self.resumed_run != self.meta.get('run_id'):
            self.resumed_file = Path(checkpoint).resolve()
        if self.resumed_run is not None:
            self.meta.setdefault('run_id', self.resumed_run)
        self.hook_msgs.update(meta.get('hook_msgs') or {})
        self.hook_msgs['last_ckpt'] = str(checkpoint)
        self._resumed = loaded.get('run_state')
        if self._resumed is None:
            self.logger.info('%s has no run_state, as those of other versions: random numbers and '
                             'the pass over the data begin anew', checkpoint)
        differences = [] if compare is None else compare(meta)
        try:
            if resume_optimizer and self.optimizer is not None:
                scheduled = {hook.scheduled for hook in self.hooks} - {None}
                differences[:0] = load_optimizer_state(self.optimizer, loaded, checkpoint,
                                                       scheduled, overrides)
        finally:  # if it does not fit, the table may show why
            differences += run_state.other_processes(self._resumed, self.device)
            log_differences(checkpoint, differences, self.logger)
        self.call_hook('after_resume', loaded)
        self.logger.info('resumed epoch: %d, iter %d', self.epoch, self.iter)
