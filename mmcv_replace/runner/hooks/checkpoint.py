"""Regular checkpoints."""
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...utils.errors import ConfigError
from ..dist_utils import master_only
from .hook import HOOKS, Hook

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


@HOOKS.register_module()
class CheckpointHook(Hook):
    """Saves every `interval` epochs (iterations unless `by_epoch`), and at the end if `save_last`.

    `out_dir`: the work directory by default. `max_keep_ckpts`: how many to keep, -1 for all; the
    newest and the best one are never deleted. `meta` is added to that of the runner.
    `create_symlink`: keep latest.pth pointing at the newest.
    """

    def __init__(self, interval: int = -1, by_epoch: bool = True, save_optimizer: bool = True,
                 out_dir: str | Path | None = None, max_keep_ckpts: int = -1,
                 save_last: bool = True, meta: dict[str, Any] | None = None,
                 filename_tmpl: str | None = None, create_symlink: bool = True) -> None:
        self.interval = interval
        self.by_epoch = by_epoch
        self.save_optimizer = save_optimizer
        self.out_dir = out_dir
        self.max_keep_ckpts = max_keep_ckpts
        self.save_last = save_last
        self.meta = meta
        self.filename_tmpl = filename_tmpl or ('epoch_{}.pth' if by_epoch else 'iter_{}.pth')
        self.create_symlink = create_symlink

    def before_run(self, runner: 'BaseRunner') -> None:
        if self.out_dir is None and runner.work_dir is None:
            raise ConfigError('checkpoint_config: nowhere to save, set work_dir or out_dir')

    def after_train_epoch(self, runner: 'BaseRunner') -> None:
        last = self.save_last and self.is_last_epoch(runner)
        if self.by_epoch and (last or self.every_n_epochs(runner, self.interval)):
            self._save(runner, runner.next_epoch)

    def after_train_iter(self, runner: 'BaseRunner') -> None:
        last = self.save_last and self.is_last_iter(runner)
        if not self.by_epoch and (last or self.every_n_iters(runner, self.interval)):
            self._save(runner, runner.finished_iters)

    @master_only
    def _save(self, runner: 'BaseRunner', number: int) -> None:
        unit = 'epochs' if self.by_epoch else 'iterations'
        runner.logger.info('Saving checkpoint at %d %s', number, unit)
        folder = Path(self.out_dir or runner.work_dir)
        path = runner.save_checkpoint(folder, self.filename_tmpl.format(number), meta=self.meta,
                                      save_optimizer=self.save_optimizer,
                                      create_symlink=self.create_symlink)
        runner.hook_msgs['last_ckpt'] = str(path)
        if self.max_keep_ckpts > 0:
            best = runner.hook_msgs.get('best_ckpt')
            for old in self._outdated(folder, number):
                if best is None or old.resolve() != Path(best).resolve():
                    old.unlink(missing_ok=True)

    def _outdated(self, folder: Path, newest: int) -> list[Path]:
        """Files of this hook, of this run or the one that it resumes, beyond `max_keep_ckpts`."""
        pattern = re.escape(self.filename_tmpl).replace(r'\{\}', r'(\d+)')
        numbered = [(int(match[1]), path) for path in folder.iterdir()
                    if (match := re.fullmatch(pattern, path.name))]
        files = sorted(pair for pair in numbered if pair[0] <= newest)
        return [path for _, path in files[:-self.max_keep_ckpts]]
