"""TensorBoard: curves, pictures and settings of a run."""
from pathlib import Path
from typing import Any

import numpy as np

from ....utils.errors import ConfigError
from ....utils.misc.optional import import_optional
from ...base_runner import BaseRunner
from ...hook import HOOKS
from .tracked_run import TrackedRun
from .tracker import TrackerHook


@HOOKS.register_module()
class TensorboardLoggerHook(TrackerHook):
    """Writes events to `log_dir`, by default the folder tf_logs in the work directory.

    Curves, the pictures of each evaluation, the config and its hyper-parameters with the last
    scores. `tracking`: options of TrackerHook.
    """

    allow_text = True

    def __init__(self, log_dir: str | Path | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, by_epoch: bool = True,
                 **tracking: Any) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch, **tracking)
        if self.log_checkpoint is not None:
            raise ConfigError('TensorboardLoggerHook.log_checkpoint: TensorBoard keeps no files; '
                              'the checkpoints are in the work directory')
        self.log_dir = log_dir
        self.writer: Any = None
        self._scores: dict[str, float] = {}

    def before_run(self, runner: BaseRunner) -> None:
        if runner.rank == 0:
            self._package = import_optional(
                'torch.utils.tensorboard', 'TensorboardLoggerHook in log_config',
                "pip install 'mmseg-ascend[tensorboard]', or remove the hook from log_config.hooks")
            if self.log_dir is None and runner.work_dir is None:
                raise ConfigError('TensorboardLoggerHook: nowhere to write, set work_dir or '
                                  'log_dir')
        super().before_run(runner)

    def start(self, run: TrackedRun) -> str:
        folder = self.log_dir or Path(run.work_dir, 'tf_logs')
        self.writer = self._package.SummaryWriter(folder)
        for name, text in run.texts.items():
            block = '\n'.join(f'    {line}' for line in text.splitlines())  # of Markdown
            self.writer.add_text(name, block, 0)
        self.writer.flush()
        return f'`tensorboard --logdir {folder}` shows the run'

    def send_scalars(self, step: int, scalars: dict[str, Any]) -> None:
        for name, value in scalars.items():
            if self.is_scalar(value):
                self.writer.add_scalar(name, value, step)
                if name.startswith('val/'):
                    self._scores[name] = float(value)
            else:
                self.writer.add_text(name, value, step)
        self.writer.flush()  # what the state says to be sent outlives a kill

    def send_picture(self, step: int, name: str, caption: str, picture: np.ndarray) -> None:
        self.writer.add_image(name, picture, step, dataformats='HWC')

    def finish(self, error: BaseException | None) -> None:
        parameters = {name: value if isinstance(value, bool | int | float) else str(value)
                      for name, value in self._run.parameters().items()}
        if parameters:
            # Not by add_hparams, which shows them as another run.
            for summary in self._package.summary.hparams(parameters, self._scores):
                self.writer.file_writer.add_summary(summary)
        self.writer.close()
