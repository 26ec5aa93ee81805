"""ReportHook, which writes the page of a run in the course of it."""
from pathlib import Path

from mmcv_replace.runner import HOOKS, BaseRunner, Hook
from mmcv_replace.runner.hooks.logger import TextLoggerHook
from mmseg.core.evaluation.evidence import Evaluation

from .names import REPORT
from .page import write_report
from .pictures import store_pictures
from .plotly_file import plotly_file


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes WORK_DIR/report.html after each evaluation and at the end, on the first process.

    It keeps the confusion matrix, and label maps of the fixed images (evaluation.pictures) and of
    the worst ones. What goes wrong with the page is a warning, and the training goes on. Raises
    MissingModuleError where plotly is not installed. `name`: of the file.
    """

    default_priority = 'VERY_LOW'  # after the loggers, from whose records the page is made
    evaluation_needs = frozenset({'confusion', 'pictures', 'worst'})

    def __init__(self, name: str = REPORT) -> None:
        plotly_file('ReportHook in custom_hooks')
        self.name = name
        self._due = False

    def before_run(self, runner: BaseRunner) -> None:
        if runner.work_dir is None:
            runner.logger.warning('ReportHook writes nothing: the run has no work_dir')
        elif not any(isinstance(hook, TextLoggerHook) for hook in runner.hooks):
            runner.logger.warning('ReportHook writes no page: it is made from the log, and '
                                  'log_config.hooks has no TextLoggerHook')

    def after_evaluation(self, runner: BaseRunner, evaluation: Evaluation) -> None:
        self._due = True
        if runner.rank != 0 or runner.work_dir is None:
            return
        try:
            store_pictures(runner.work_dir, evaluation)
        except Exception as error:  # no picture is worth a training
            runner.logger.warning('ReportHook cannot keep the pictures of this evaluation: %s: %s',
                                  type(error).__name__, error)

    def _write_if_due(self, runner: BaseRunner) -> None:
        if self._due:
            self._write(runner)

    # The loggers write the scores at the first of these after the evaluation.
    before_train_iter = after_train_iter = after_train_epoch = _write_if_due

    def after_run(self, runner: BaseRunner) -> None:
        self._write(runner)

    def _write(self, runner: BaseRunner) -> None:
        self._due = False
        if runner.rank != 0 or runner.work_dir is None or not any(
                isinstance(hook, TextLoggerHook) for hook in runner.hooks):
            return
        log = Path(runner.work_dir, f'{runner.timestamp}.log.json')
        try:
            write_report([log], Path(runner.work_dir, self.name))
        except Exception as error:  # no page is worth a training
            runner.logger.warning('ReportHook cannot write the page: %s: %s',
                                  type(error).__name__, error)
