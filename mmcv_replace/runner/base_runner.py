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

from ..parallel.data_parallel import device_of
from ..utils import mkdir_or_exist
from ..utils.errors import CheckpointError
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
from .optimizer.optimizers_of_run import Optimizers, optimizers_of
from .precision import Precision
from .runner_checks import check_meta, check_outputs, check_parts
from .runner_facts import RunnerFacts
from .utils import get_host_info, get_time_str
from .workflow import Stopping, Workflow, check_workflow, warn_if_finished


class BaseRunner(RunnerFacts, HookRegistration, Stopping, ABC):
    """Calls `model.train_step` or `val_step` for each batch, and the hooks around it.

    `train_step(data_batch, optimizer)` returns a dict with `loss` (a tensor with gradient) and, if
    anything is to be logged, `log_vars` (numbers by name; tensors may stay on the device) and
    `num_samples`, their weight in the means. Hooks do all else, such as the optimizer's step. A
    model without it needs `batch_processor(model, data_batch, train_mode=...)`, which returns the
    same. `optimizer` may be a dict of optimizers by name. `meta` is stored in every checkpoint;
    `precision` (float32 by default) is how the step is computed.
    """

    def __init__(self, model: nn.Module, batch_processor: Callable[..., Any] | None = None,
                 optimizer: Optimizers = None,
                 work_dir: str | Path | None = None, logger: logging.Logger | None = None,
                 meta: dict[str, Any] | None = None, max_iters: int | None = None,
                 max_epochs: int | None = None, precision: Precision | None = None) -> None:
        super().__init__()
        check_parts(type(self).__name__, model, batch_processor, optimizer, work_dir, logger, meta,
                    max_iters, max_epochs)
        self.model = model
        self.batch_processor = batch_processor
        self.optimizer = optimizer
        self.precision = precision or Precision(device_of(model))
        self.work_dir = None if work_dir is None else str(Path(work_dir).absolute())
        self.logger = logger or logging.getLogger('mmseg')
        self.meta = dict(meta or {})
        self.timestamp = get_time_str()
        self.log_buffer = LogBuffer()
        self._rank, self._world_size = get_dist_info()
        self.mode: str | None = None
        self.data_loader: Any = None
        self.data_batch: Any = None  # of the training iteration under way, on the host
        self.data_time = 0.0  # seconds of waiting for the current batch
        self.outputs: dict[str, Any] = {}
        # Unlike `iter`, these count the current iteration as soon as its step is done; `next_epoch`
        # is the epoch in which a run would begin that resumes from a checkpoint of this moment.
        self.finished_iters = 0
        self.next_epoch = 0
        self._begun_epochs = 0  # counts the current one
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

    @abstractmethod
    def train(self, data_loader: Any, **kwargs: Any) -> None:
        """One unit (iteration or epoch) of training; `kwargs` are further arguments of the step."""

    @abstractmethod
    def val(self, data_loader: Any, **kwargs: Any) -> None:
        """One unit of validation."""

    def _plan(self, data_loaders: Sequence[DataLoader], workflow: Workflow) -> str:
        """Set the length of the run and return it in words; ConfigError if it is not configured.

        This and `_run_workflow` are for `run`, which a user's runner may replace altogether.
        """
        raise NotImplementedError

    def _run_workflow(self, data_loaders: Sequence[DataLoader], workflow: Workflow,
                      **kwargs: Any) -> None:
        """Execute the workflow until the run ends."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Position of the run in the workflow and in the data, as plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue the workflow where `state_dict` was called; an empty dict: at its beginning."""
        self._flow = 0

    def run(self, data_loaders: Sequence[DataLoader], workflow: Workflow, **kwargs: Any) -> None:
        """Train: `workflow` lists (mode, how many units), one entry for each data loader.

        For example [('train', 2), ('val', 1)]: validation after every second epoch (iteration). A
        mode is the name of a method, which gets the loader and `kwargs`.
        """
        check_workflow(data_loaders, workflow, self)
        length = self._plan(data_loaders, workflow)
        self.logger.info('Start running, host: %s, work_dir: %s', get_host_info(), self.work_dir)
        self.logger.info('Hooks in the order in which they run:\n%s', self.get_hook_info())
        self.logger.info('workflow: %s, max: %s', workflow, length)
        warn_if_finished(self)
        self.workflow = [list(flow) for flow in workflow]
        for optimizer in optimizers_of(self.optimizer).values():
            settle_kernels(optimizer)
        self.stopped = None
        self.call_hook('before_run')
        try:
            self._begin()
            self._run_workflow(data_loaders, workflow, **kwargs)
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

    def run_iter(self, data_batch: Any, train_mode: bool, **kwargs: Any) -> None:
        """Run the model on one batch; `outputs` keeps what it returns."""
        if self.batch_processor is not None:
            outputs = self.batch_processor(self.model, data_batch, train_mode=train_mode, **kwargs)
        else:
            step = self.model.train_step if train_mode else self.model.val_step
            outputs = step(data_batch, self.optimizer, **kwargs)
        self.outputs = check_outputs(outputs)
        if 'log_vars' in outputs:
            self.log_buffer.update(outputs['log_vars'], outputs.get('num_samples', 1))

    def call_hook(self, fn_name: str, *args: Any) -> None:
        """Call a method of every hook, in the order of their priorities."""
        # Here, so that the loops of a user's runner count too.
        if fn_name == 'after_train_iter':
            self.finished_iters = self._iter + 1
        elif fn_name == 'before_train_epoch':
            self.next_epoch = self._epoch
            self._begun_epochs = self._epoch + 1
        elif fn_name == 'after_train_epoch':
            self.next_epoch = self._epoch + 1
        elif fn_name == 'after_run':
            self.saver.close()
        super().call_hook(fn_name, *args)

    def _step(self, data_batch: Any, **kwargs: Any) -> None:
        """One iteration of the training, with its hooks."""
        self.data_batch = data_batch
        self.call_hook('before_train_iter')
        self.run_iter(data_batch, train_mode=True, **kwargs)
        self.call_hook('after_train_iter')
        self.data_batch = None
        self.log_buffer.trim()

    @torch.no_grad()
    def _val_step(self, data_batch: Any, **kwargs: Any) -> None:
        self.call_hook('before_val_iter')
        self.run_iter(data_batch, train_mode=False, **kwargs)
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
                        save_optimizer: bool = True, meta: dict[str, Any] | None = None,
                        create_symlink: bool = True) -> Path:
        """Write a checkpoint at once and return its path; CheckpointError if that fails.

        `{}` in `filename_tmpl` stands for the number of iterations done (or epochs begun), but at
        least 1. `meta` is added to that of the runner. `create_symlink`: let latest.pth beside the
        file point at it.
        """
        check_meta(meta)
        by_epoch = self.counts_by_epoch
        tmpl = filename_tmpl or ('epoch_{}.pth' if by_epoch else 'iter_{}.pth')
        number = max(1, self._begun_epochs if by_epoch else self.finished_iters)
        path = Path(out_dir) / tmpl.format(number)
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
                        strict: bool = False,
                        revise_keys: Sequence[tuple[str, str]] = ((r'^module\.', ''),),
                        ) -> dict[str, Any]:
        """Load the weights of a checkpoint, and return the whole checkpoint.

        `revise_keys`: (pattern, replacement) of each change to the names of the weights.
        """
        self.logger.info('load checkpoint from %s', filename)
        return load_checkpoint(self.model, filename, map_location, strict, self.logger, revise_keys)

    def resume(self, checkpoint: str | Path, resume_optimizer: bool = True,
               map_location: str | torch.device = 'default', overrides: Sequence[str] = (),
               compare: Callable[[dict[str, Any]], list[Difference]] | None = None) -> None:
        """Continue the run that wrote `checkpoint`.

        The settings of the optimizer are the checkpoint's except the `overrides`, such as
        'optimizer.lr'. One table lists the differences in the optimizer, in the processes, and
        those that `compare` finds in the checkpoint's meta data. Raises CheckpointError.
        `map_location`: where the file's tensors are read to, 'default' the host's memory.
        """
        map_location = 'cpu' if map_location == 'default' else map_location
        found = self.load_checkpoint(checkpoint, map_location, strict=True)
        loaded = regular_form(found)
        if loaded is not found:
            load_state_dict(self.model, loaded['state_dict'], strict=True, source=str(checkpoint))
        meta = loaded.get('meta') or {}
        if not all(isinstance(meta.get(key), int) for key in ('epoch', 'iter')):
            raise CheckpointError(f'{checkpoint} cannot be resumed: its meta data lack the epoch '
                                  'or the iteration. To start a new run from its weights use '
                                  '--load-from')
        self._epoch = self.next_epoch = self._begun_epochs = meta['epoch']
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
                differences[:0] = self._load_optimizers(loaded, checkpoint, scheduled, overrides)
        finally:  # if it does not fit, the table may show why
            differences += run_state.other_processes(self._resumed, self.device)
            log_differences(checkpoint, differences, self.logger)
        self.call_hook('after_resume', loaded)
        self.logger.info('resumed epoch: %d, iter %d', self.epoch, self.iter)

    def _load_optimizers(self, loaded: dict[str, Any], file: str | Path, scheduled: set[str],
                         overrides: Sequence[str]) -> list[Difference]:
        if not isinstance(self.optimizer, dict):
            return load_optimizer_state(self.optimizer, loaded, file, scheduled, overrides)
        states = loaded.get('optimizer')
        if not isinstance(states, dict) or set(states) != set(self.optimizer):
            raise CheckpointError(f'{file} cannot be resumed: it does not hold the states of the '
                                  f'optimizers {", ".join(self.optimizer)}. To start a new run '
                                  'from its weights use load_checkpoint')
        return [difference for name, optimizer in self.optimizer.items()
                for difference in load_optimizer_state(
                    optimizer, {**loaded, 'optimizer': states[name]}, file, scheduled, overrides)]
