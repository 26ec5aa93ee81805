"""The base class of the loggers that show a run in a tracker: curves, pictures, settings."""
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from ....utils.checks.type_check import Range
from ....utils.errors import ConfigError
from ....utils.seed import keep_random_state
from ...base_runner import BaseRunner
from .background import FAILURES, BackgroundCalls
from .base import LoggerHook
from .service import ServiceLoggerHook
from .tracked_run import TrackedRun, tracked_run

START = 30.0  # seconds that a run waits for its tracker to begin
FINISH, FINISH_WITH_FILES = 60.0, 600.0  # and at its end
INTERRUPTED = 10.0  # where it was told to stop: whoever did so soon kills it
CHECKPOINTS = {'last': ['last'], 'best': ['best'], 'both': ['best', 'last'], None: []}


class Picture(NamedTuple):
    """A picture that is drawn when it is sent."""

    name: str
    caption: str
    draw: Callable[[], np.ndarray]  # RGB [H, W, 3] uint8


@dataclass
class Entry:
    """All that is logged for one step."""

    step: int
    scalars: dict[str, Any] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)


class TrackerHook(ServiceLoggerHook):
    """Base of the loggers that show a run in a tracker.

    Works on the first process alone, and in a thread, so that no step waits for a server. What is
    logged for an iteration, evaluations included, is sent as one step before the next iteration.
    Nothing that fails there ends the training: what cannot be sent is tried again, then left out,
    see BackgroundCalls. A run that is resumed in its work directory goes on in the tracker, and
    steps that it repeats are not sent again.

    `class_scores`: log those of single classes too, as val_IoU/CLASS; those of groups of classes,
    val_IoU/GROUP, are always logged. `pictures`: show the fixed images of each evaluation, with
    annotation, prediction and errors (`evaluation.pictures` is their number). `confusion_matrix`:
    show that of each evaluation. `log_checkpoint`: send the 'last' or the 'best' checkpoint, or
    'both', after the run. `finish_timeout`: how many seconds the end of the run may wait for what
    has not been sent, by default 60, or 600 with files, but 10 where the run was told to stop.

    A subclass says what `start`, `send_scalars`, `send_picture`, `send_checkpoint` and `finish` do.
    """

    allow_text = False  # whether `send_scalars` takes text too
    starts_behind = True  # whether `start` is called in the thread; so that it may take long
    package = ''  # whose current run the hook shows, which no other hook may then show too
    drops_repeated = False  # whether the tracker itself leaves out a step that it has

    def __init__(self, interval: int = 10, ignore_last: bool = True, reset_flag: bool = False,
                 by_epoch: bool = True, *, class_scores: bool = False, pictures: bool = True,
                 confusion_matrix: bool = True,
                 log_checkpoint: Literal['last', 'best', 'both'] | None = None,
                 finish_timeout: Annotated[float, Range(0)] | None = None) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.class_scores = class_scores
        self.log_checkpoint = log_checkpoint
        self.finish_timeout = finish_timeout
        wanted = {'pictures': pictures, 'confusion': confusion_matrix}
        self.evaluation_needs = frozenset(name for name, want in wanted.items() if want)
        self._entry: Entry | None = None
        self._run: TrackedRun | None = None
        self._background: BackgroundCalls | None = None
        self._failed = False
        self._fallback = ''  # why `start` did other than the user asked for
        self._all_sent = False
        self._sent = -1  # last step that an earlier process of this run sent

    def start(self, run: TrackedRun) -> str:
        """Begin the run in the tracker; returns where it is, for the log.

        Where that is not what the user asked for, it sets `_fallback` to the reason.
        """
        raise NotImplementedError

    def send_scalars(self, step: int, scalars: dict[str, Any]) -> None:
        raise NotImplementedError

    def send_picture(self, step: int, name: str, caption: str, picture: np.ndarray) -> None:
        """picture: RGB [H, W, 3] uint8. Comes before the scalars of its step."""
        raise NotImplementedError

    def send_checkpoint(self, path: str, kind: str) -> None:
        """kind: 'best' or 'last'."""
        raise NotImplementedError

    def send_files(self) -> None:
        """Send further files after the run, however it ended."""

    def finish(self, error: BaseException | None) -> None:
        """End the run in the tracker; `error`: with which the training ended."""

    def sends_files(self) -> bool:
        """Whether files are sent at the end, which may take longer."""
        return self.log_checkpoint is not None

    get_iter = LoggerHook.get_iter  # several entries for a step are joined here

    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        self._check_alone(runner)
        self._failed, self._fallback = False, ''
        if runner.rank == 0:
            name = type(self).__name__
            twins = [hook for hook in runner.hooks if type(hook) is type(self)]
            self._run = tracked_run(runner, name + str(twins.index(self) or ''))
            self._sent = -1 if self.drops_repeated else self._run.state.get('step', -1)
            self._background = BackgroundCalls(name, runner.logger)
            with keep_random_state():  # packages draw names with the generators of the training
                self._begin(runner)

    def _check_alone(self, runner: BaseRunner) -> None:
        same = [type(hook).__name__ for hook in runner.hooks
                if isinstance(hook, TrackerHook) and hook.package == self.package]
        if self.package and len(same) > 1:
            raise ConfigError(f'log_config.hooks: {" and ".join(same)} would show two runs in '
                              f'{self.package}, which has one at a time; keep one of them')

    def _begin(self, runner: BaseRunner) -> None:
        if not self.starts_behind:
            self._start(runner)
            return
        begun = threading.Event()
        self._background.call(self._start, runner, begun)
        if not begun.wait(START):
            runner.logger.warning('%s has not begun after %g s; the training begins meanwhile',
                                  type(self).__name__, START)

    def _start(self, runner: BaseRunner, begun: threading.Event | None = None) -> None:
        try:
            place = self.start(self._run)
            name = type(self).__name__
            if self._fallback:
                runner.logger.warning('%s: %s; %s', name, self._fallback, place)
            else:
                runner.logger.info('%s: %s', name, place)
        except FAILURES as error:
            self._failed = True
            runner.logger.warning('%s cannot begin, and the run goes on without it (%s: %s)',
                                  type(self).__name__, type(error).__name__, error)
        finally:
            if begun is not None:
                begun.set()

    def log(self, runner: BaseRunner) -> None:
        if runner.rank == 0:
            self._entry_of(runner).scalars.update(
                self.get_loggable_tags(runner, allow_text=self.allow_text))

    def after_evaluation(self, runner: BaseRunner, evaluation: Any) -> None:
        """Note pictures and scores of an evaluation, which mmseg's EvalHook describes."""
        if runner.rank != 0:
            return
        entry, end = self._entry_of(runner), '_ema' if evaluation.averaged else ''
        for name, value in evaluation.class_scores().items():
            metric, _, label = name.partition('.')
            if self.class_scores or label in evaluation.groups:
                entry.scalars[f'val_{metric}{end}/{label}'] = value
        if 'pictures' in self.evaluation_needs:
            entry.pictures += [
                Picture(f'pictures{end}/{name}', f'{name}: mIoU {picture.sample.miou:.4f}',
                        picture.panels) for name, picture in evaluation.pictures.items()]
        if 'confusion' in self.evaluation_needs and evaluation.confusion is not None:
            entry.pictures.append(Picture(f'confusion_matrix{end}', 'rows: true classes',
                                          evaluation.confusion_picture))

    def _entry_of(self, runner: BaseRunner) -> Entry:
        step = self.get_iter(runner)
        if self._entry is None or self._entry.step != step:
            self._send_entry()
            self._entry = Entry(step)
        return self._entry

    def before_train_iter(self, runner: BaseRunner) -> None:
        super().before_train_iter(runner)
        self._send_entry()

    def _send_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None or self._background is None or entry.step <= self._sent:
            return
        for picture in entry.pictures:
            self._call(self._draw_and_send, entry.step, picture)
        if entry.scalars:
            self._call(self.send_scalars, entry.step, entry.scalars)
        self._call(self._run.state.note, step=entry.step)

    def _call(self, function: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Have a function called in the thread, if the tracker has begun by then."""
        def call() -> None:
            if not self._failed:
                function(*args, **kwargs)
        self._background.call(call)

    def _draw_and_send(self, step: int, picture: Picture) -> None:
        self.send_picture(step, picture.name, picture.caption, picture.draw())

    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if self._background is None:
            return
        self._send_entry()
        error = sys.exc_info()[1]  # with which the run ends
        if error is None:
            for kind in CHECKPOINTS[self.log_checkpoint]:
                if runner.hook_msgs.get(f'{kind}_ckpt'):
                    self._call(self.send_checkpoint, runner.hook_msgs[f'{kind}_ckpt'], kind)
        self._call(self.send_files)
        self._call(self.finish, error)
        self._all_sent = self._background.close(self._longest_finish(error))
        self._background = None

    def _longest_finish(self, error: BaseException | None) -> float:
        if self.finish_timeout is not None:
            return self.finish_timeout
        if error is not None and not isinstance(error, Exception):
            return INTERRUPTED
        return FINISH_WITH_FILES if self.sends_files() else FINISH
