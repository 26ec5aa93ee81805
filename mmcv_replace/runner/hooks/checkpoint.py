"""Regular checkpoints, and which old ones are deleted."""
import re
from pathlib import Path
from typing import Any

from ...fileio import is_remote, remove_unfinished
from ...parallel.allreduce import allreduce_params
from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..checkpoints.files import point_latest_at
from ..checkpoints.ownership import OwnCheckpoints
from ..hook import HOOKS, Hook, check_unit
from ..iter_based_runner import IterBasedRunner
from .places import (
    ClientArgs,
    check_out_dir,
    delete_file,
    place_for,
    put_file,
    save_iteration,
)


@HOOKS.register_module()
class CheckpointHook(Hook):
    """Saves every `interval` epochs (iterations unless `by_epoch`), and at the end if `save_last`.

    `out_dir`: the work directory by default. `max_keep_ckpts`: number to keep, -1 for all; older
    ones are deleted once the newest is safely written, but never the best one, checkpoints of other
    runs in the folder, and those with which the run began. A run that is stopped early saves then.
    `meta` is added to that of the runner. `filename_tmpl`: a name with {} for the number.
    `create_symlink`: latest.pth is the newest. `sync_buffer`: first replace the model's buffers by
    their means over all processes.

    `out_dir` may be a place such as s3://bucket/runs, in which a folder of the work directory's
    name gets the checkpoints; `file_client_args`: how to write there, see FileClient.

    `async_save`: the training only waits for a copy in memory, and a thread writes the file.
    `verify`: read each file again before it counts. If a file cannot be written, the older ones
    stay; `on_error='continue'`: the training continues and tries again when the next one is due;
    'stop': it ends. If the last one cannot be written, the run ends with an error either way.
    These three apply to the best checkpoint too.

    A runner with a `save_checkpoint` of its own writes the regular ones by that, without a thread.
    """

    def __init__(self, interval: int = -1, by_epoch: bool = True, save_optimizer: bool = True,
                 out_dir: str | Path | None = None, max_keep_ckpts: int = -1,
                 save_last: bool = True, sync_buffer: bool = False,
                 file_client_args: ClientArgs = None, meta: dict[str, Any] | None = None,
                 filename_tmpl: str | None = None, create_symlink: bool = True,
                 async_save: bool = True, verify: bool = True,
                 on_error: str = 'continue') -> None:
        check_out_dir('checkpoint_config', out_dir, file_client_args)
        self.interval = interval
        self.by_epoch = by_epoch
        self.save_optimizer = save_optimizer
        self.out_dir = out_dir
        self.max_keep_ckpts = max_keep_ckpts
        self.save_last = save_last
        self.sync_buffer = sync_buffer
        self.file_client_args = file_client_args
        self.meta = meta
        self._given_tmpl = filename_tmpl
        self.filename_tmpl = filename_tmpl or ('epoch_{}.pth' if by_epoch else 'iter_{}.pth')
        if not re.fullmatch(r'[^{}/\\]*\{\}[^{}/\\]*', self.filename_tmpl):
            raise ConfigError(f'checkpoint_config.filename_tmpl={filename_tmpl!r}: give the name '
                              'of a file with one {} for its number; out_dir is for the folder')
        self.create_symlink = create_symlink
        self.async_save = async_save
        self.verify = verify
        self.on_error = on_error
        self._saved_at: int | None = None  # iterations done at the last checkpoint
        self._own: OwnCheckpoints | None = None  # in the first process only
        self._remote: str | None = None  # the folder of a file client
        self._uploaded: list[str] = []

    @property
    def args(self) -> dict[str, Any]:
        """What was given of the further arguments of the runner's `save_checkpoint`."""
        given = {'meta': self.meta, 'filename_tmpl': self._given_tmpl}
        return {**{key: value for key, value in given.items() if value is not None},
                **({} if self.create_symlink else {'create_symlink': False})}

    def before_run(self, runner: BaseRunner) -> None:
        if self.out_dir is None and runner.work_dir is None:
            raise ConfigError('checkpoint_config: nowhere to save, set work_dir or out_dir')
        check_unit('checkpoint_config', self.by_epoch, runner)
        if self.out_dir is not None and is_remote(self.out_dir, self.file_client_args):
            self._locate_remote(runner)
        runner.checkpoint_dir = str(runner.work_dir if self._remote else
                                    self.out_dir or runner.work_dir)
        runner.saver.configure(self.async_save, self.verify, self.on_error)
        if self.async_save and _saves_itself(runner):
            runner.logger.info('%s has a save_checkpoint of its own: the training waits for each '
                               'regular checkpoint', type(runner).__name__)
        if runner.rank == 0:
            self._look_around(runner)

    def _locate_remote(self, runner: BaseRunner) -> None:
        if runner.work_dir is None:
            raise ConfigError(f'checkpoint_config.out_dir={str(self.out_dir)!r}: set work_dir too, '
                              'where each file is written first')
        self._remote = place_for(self.out_dir, Path(runner.work_dir).name)
        runner.logger.info('Checkpoints will be saved to %s', self._remote)

    def _look_around(self, runner: BaseRunner) -> None:
        """Remove unfinished files from the folders, and find the checkpoints that are there."""
        for folder in {runner.checkpoint_dir, runner.work_dir} - {None}:
            for path in remove_unfinished(folder):
                runner.logger.info('removed %s, which a run that was killed left unfinished', path)
        folder = Path(runner.checkpoint_dir)
        self._own = OwnCheckpoints(runner, folder, self.filename_tmpl)
        others = [path.name for path in self._own.others]
        if others:
            runner.logger.warning(
                '%s holds %d checkpoints of another run (%s): none is deleted, but a checkpoint of '
                'this run replaces one of the same name. Choose another %s to keep both', folder,
                len(others), ', '.join(others[:3] + ['...'] * (len(others) > 3)),
                'checkpoint_config.out_dir' if self.out_dir else '--work-dir')

    def after_train_epoch(self, runner: BaseRunner) -> None:
        last = self.save_last and self.is_last_epoch(runner)
        if self.by_epoch and (last or self.every_n_epochs(runner, self.interval)):
            self._save_checkpoint(runner)

    def after_train_iter(self, runner: BaseRunner) -> None:
        runner.saver.poll()
        last = self.save_last and self.is_last_iter(runner)
        if not self.by_epoch and (last or self.every_n_iters(runner, self.interval)):
            self._save_checkpoint(runner)

    def before_stop(self, runner: BaseRunner) -> None:
        """Save, unless that has been done: a resume has to know that the run is finished."""
        if self._saved_at == runner.finished_iters:
            return
        if self.by_epoch and runner.finished_iters > runner.iter:  # in the middle of an epoch
            runner.collect_state()
            save_iteration(runner)
        else:
            self._save_checkpoint(runner)

    def _save_checkpoint(self, runner: BaseRunner) -> None:
        self._saved_at = runner.finished_iters
        number = runner.next_epoch if self.by_epoch else runner.finished_iters
        if self.sync_buffer:
            allreduce_params(runner.model.buffers())
        runner.collect_state()
        if runner.rank != 0:
            return
        unit = 'epochs' if self.by_epoch else 'iterations'
        runner.logger.info('Saving checkpoint at %d %s', number, unit)
        path = runner.free_path(Path(runner.checkpoint_dir, self.filename_tmpl.format(number)))
        former = runner.hook_msgs.get('last_ckpt')

        def after_write() -> None:
            if self._remote is not None:
                self._upload(path)
                return
            if self.create_symlink:
                point_latest_at(path)
            self._delete_outdated(runner, path, number)

        def on_result(written: bool) -> None:
            if not written:
                runner.hook_msgs['last_ckpt'] = former

        def write() -> None:
            args = self.args  # as mmcv calls it, unless the file has another name or place
            if path.name != self.filename_tmpl.format(number):
                args['filename_tmpl'] = path.name
            if self._remote is not None:
                args['create_symlink'] = False
            runner.save_checkpoint(runner.checkpoint_dir, save_optimizer=self.save_optimizer,
                                   **args)
            if self._remote is not None:
                self._upload(path)
            else:
                self._delete_outdated(runner, path, number)

        if _saves_itself(runner):
            runner.saver.save_by(write, self.filename_tmpl, on_result)
        else:
            runner.saver.save(runner.build_checkpoint(self.meta, self.save_optimizer), path,
                              self.filename_tmpl, after_write, on_result)
        runner.hook_msgs['last_ckpt'] = (
            str(path) if self._remote is None else place_for(self._remote, path.name))
        runner.saver.poll()

    def _upload(self, path: Path) -> None:
        """Move a file to the place of a file client, and delete the outdated ones of this run."""
        target = place_for(self._remote, path.name)
        put_file(path, target, self.file_client_args)
        path.unlink()
        self._uploaded = [*(name for name in self._uploaded if name != target), target]
        while 0 < self.max_keep_ckpts < len(self._uploaded):
            delete_file(self._uploaded.pop(0), self.file_client_args)

    def _delete_outdated(self, runner: BaseRunner, path: Path, number: int) -> None:
        self._own.add(path, number)
        if self.max_keep_ckpts > 0:
            best = runner.hook_msgs.get('best_ckpt')
            kept = {*runner.begun_from, runner.resumed_file, best and Path(best).resolve()}
            for old in self._own.beyond(self.max_keep_ckpts, number):
                if old.resolve() not in kept:
                    old.unlink(missing_ok=True)


def _saves_itself(runner: BaseRunner) -> bool:
    """Whether a subclass or a user has replaced `save_checkpoint`."""
    own = (BaseRunner.save_checkpoint, IterBasedRunner.save_checkpoint)
    return getattr(runner.save_checkpoint, '__func__', None) not in own
