"""Weights & Biases under the name that mmsegmentation 0.30 gives it."""
from pathlib import Path
from typing import Annotated, Any

from mmcv_replace.runner import HOOKS, BaseRunner
from mmcv_replace.runner.hooks.logger.wandb import WandbLoggerHook
from mmcv_replace.utils.checks.type_check import Range
from mmseg.core.evaluation.evidence import Evaluation


@HOOKS.register_module()
class MMSegWandbHook(WandbLoggerHook):
    """WandbLoggerHook with the options of mmsegmentation 0.30.

    `log_checkpoint`: send each regular checkpoint, as versions of one artifact.
    `log_checkpoint_metadata`: with the scores of the last evaluation. `num_eval_images`: the
    number of validation images that are shown at each evaluation, at least `evaluation.pictures`;
    0 for none. `kwargs`: further arguments of WandbLoggerHook.
    """

    def __init__(self, init_kwargs: dict[str, Any] | None = None, interval: int = 50,
                 log_checkpoint: bool = False, log_checkpoint_metadata: bool = False,
                 num_eval_images: Annotated[int, Range(0)] = 100, **kwargs: Any) -> None:
        super().__init__(init_kwargs, interval, **{'pictures': num_eval_images > 0, **kwargs})
        self.log_every_checkpoint = log_checkpoint
        self.log_checkpoint_metadata = log_checkpoint_metadata
        self.evaluation_pictures = num_eval_images
        self._metadata: dict[str, Any] = {}
        self._sent_checkpoint: str | None = None

    def before_run(self, runner: BaseRunner) -> None:
        self._sent_checkpoint = runner.hook_msgs.get('last_ckpt')  # of before a resume
        super().before_run(runner)

    def after_evaluation(self, runner: BaseRunner, evaluation: Evaluation) -> None:
        super().after_evaluation(runner, evaluation)
        unit = 'epoch' if evaluation.by_epoch else 'iter'
        self._metadata = {unit: evaluation.done, **evaluation.overall_scores()}

    def before_train_iter(self, runner: BaseRunner) -> None:
        super().before_train_iter(runner)
        self._send_new_checkpoint(runner)

    def after_run(self, runner: BaseRunner) -> None:
        self._send_new_checkpoint(runner)
        super().after_run(runner)

    def _send_new_checkpoint(self, runner: BaseRunner) -> None:
        file = runner.hook_msgs.get('last_ckpt')
        new = self.log_every_checkpoint and file not in (None, self._sent_checkpoint)
        if new and runner.rank == 0 and Path(file).is_file():  # it is written in the background
            self._sent_checkpoint = file
            metadata = dict(self._metadata) if self.log_checkpoint_metadata else {}
            self._call(self.send_checkpoint, file, Path(file).stem, metadata)

    def sends_files(self) -> bool:
        return super().sends_files() or self.log_every_checkpoint
