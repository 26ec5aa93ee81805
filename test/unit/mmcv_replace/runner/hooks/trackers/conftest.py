"""An evaluation as mmseg's hook tells it, and a tracker that keeps what it is sent."""
from types import SimpleNamespace

import numpy as np
import pytest

from mmcv_replace.runner import Hook
from mmcv_replace.runner.hooks.logger.base import LoggerHook
from mmcv_replace.runner.hooks.logger.tracker import TrackerHook


def picture(shade, miou=0.25):
    return SimpleNamespace(sample=SimpleNamespace(miou=miou),
                           panels=lambda: np.full((4, 6, 3), shade, np.uint8))


class Evaluate(Hook):
    """Does what an EvalHook does, after the iterations (epochs) `at`; `averaged`: with an EMA."""

    def __init__(self, *at, by_epoch=False, averaged=(False,), groups=()):
        self.at, self.by_epoch, self.averaged = at, by_epoch, averaged
        self.groups = groups

    def after_train_iter(self, runner):
        if not self.by_epoch and runner.iter + 1 in self.at:
            self.evaluate(runner)

    def after_train_epoch(self, runner):
        if self.by_epoch and runner.epoch + 1 in self.at:
            self.evaluate(runner)

    def evaluate(self, runner):
        step = runner.finished_iters
        runner.log_buffer.output.update({'mIoU': step / 100, 'val/loss': 0.5})
        runner.log_buffer.ready = True
        for averaged in self.averaged:
            runner.call_hook('after_evaluation', SimpleNamespace(
                averaged=averaged, groups=self.groups, confusion=np.eye(2, dtype=int),
                class_scores=lambda: {'IoU.a.b': 0.125, 'Acc.道路 (x)': 0.75},
                confusion_picture=lambda: np.zeros((5, 5, 3), np.uint8),
                pictures={'x.jpg': picture(10), 'y.jpg': picture(20)}))


class Keep(TrackerHook):
    """Keeps what it is sent. `fails`: raise at these calls, by their number from 0."""

    def __init__(self, fails=(), **kwargs):
        super().__init__(**{'interval': 2, 'by_epoch': False, **kwargs})
        self.fails, self.calls = fails, 0
        self.sent, self.ended = [], None

    def start(self, run):
        self.begun = run
        return 'here'

    def _note(self, *what):
        self.calls += 1
        if self.calls - 1 in self.fails:
            raise ValueError('server is tired')
        self.sent.append(what)

    def send_scalars(self, step, scalars):
        self._note(step, dict(scalars))

    def send_picture(self, step, name, caption, picture):
        self._note(step, name, caption, picture)

    def send_checkpoint(self, path, kind):
        self._note(kind, path)

    def finish(self, error):
        self.ended = [error]

    def scalars(self):
        return {entry[0]: entry[1] for entry in self.sent if isinstance(entry[1], dict)}

    def pictures(self):
        return [(entry[0], entry[1]) for entry in self.sent if len(entry) == 4]


class Watch(LoggerHook):
    """What a logger that writes at once sees."""

    def __init__(self):
        super().__init__(interval=2, by_epoch=False)
        self.seen = {}

    def log(self, runner):
        self.seen.setdefault(self.get_iter(runner), {}).update(self.get_loggable_tags(runner))


@pytest.fixture
def keep():
    return Keep


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def evaluate_at():
    return Evaluate


@pytest.fixture
def train(make_runner, make_loader):
    """A run with hooks of loggers and an evaluation; `then`: called with the runner before it."""
    def run(*loggers, evaluation=None, by_epoch=False, then=None, length=4, **kwargs):
        runner = make_runner(by_epoch, momentum=0.9, **{
            'max_epochs' if by_epoch else 'max_iters': length}, **kwargs)
        runner.register_training_hooks(None, {}, {'interval': 2}, {'hooks': []})
        if evaluation is not None:
            runner.register_hook(evaluation, 'LOW')
        for logger in loggers:
            runner.register_hook(logger, 'VERY_LOW')
        if then is not None:
            then(runner)
        runner.run([make_loader()], [('train', 1)])
        return runner
    return run
