"""Which files a run has skipped: in the log, in the checkpoints, and never more than allowed."""
import torch.distributed as dist

from mmcv_replace.runner import BaseRunner, Hook

from .skip_samples import ReportingLoader, Skipped, too_many_skipped

KEY = 'skipped_files'


class SkippedFilesHook(Hook):
    """Logs each skipped file once in the whole job, and the number of them at its end.

    Beyond the loader's `max_skipped` different files, those of all processes together, it raises
    DataError on all processes. Several processes tell each other every `interval` iterations. The
    files are kept in the checkpoints, so a resumed run counts on.
    """

    def __init__(self, loader: ReportingLoader, interval: int = 50) -> None:
        self.loader = loader
        self.interval = interval

    def before_train_iter(self, runner: BaseRunner) -> None:
        if runner.world_size == 1 or runner.iter % self.interval == 0:
            self.report(runner)

    def after_epoch(self, runner: BaseRunner) -> None:
        self.report(runner)

    def after_run(self, runner: BaseRunner) -> None:
        known = runner.hook_msgs.get(KEY)
        if known:
            runner.logger.warning('data.on_error: %d files were skipped in this run:\n  %s',
                                  len(known), '\n  '.join(known))

    def report(self, runner: BaseRunner) -> None:
        """Log what is new in any process; all processes must come by."""
        known: Skipped = runner.hook_msgs.setdefault(KEY, {})
        for file, why in _of_all_processes(self.loader.skipped, runner.world_size).items():
            if file not in known:
                known[file] = why
                runner.logger.warning('data.on_error: skipped (file %d of at most %d):'
                                  ' %s', len(known), self.loader.max_skipped, why)
        self.loader.skipped.clear()
        if len(known) > self.loader.max_skipped:
            raise too_many_skipped(known, self.loader.max_skipped)


def _of_all_processes(skipped: Skipped, world_size: int) -> Skipped:
    parts = [skipped]
    if world_size > 1:
        parts = [None] * world_size
        dist.all_gather_object(parts, skipped)
    return {file: why for part in parts for file, why in part.items()}
