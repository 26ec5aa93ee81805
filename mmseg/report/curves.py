"""Charts over iterations of one run or of several: losses, scores, rates, speed."""
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from mmseg.core.evaluation.records import AVERAGED

from .classes import class_of, classes_of
from .figures import COLOURS, Figure, chart, line, literal, scale_buttons
from .run import Run

# The scores that are drawn first and shown from the start.
MAIN = ('mIoU', 'mAcc', 'aAcc', 'mDice', 'mFscore', 'mPrecision', 'mRecall')
SPEED = ('time', 'data_time', 'fps', 'memory')


def is_loss(key: str) -> bool:
    """Whether a number of the log is a loss: loss, decode.loss_seg, but not loss_scale."""
    name = re.split(r'[./]', key)[-1]
    return (name.startswith('loss') or name.endswith('_loss')) and 'loss_scale' not in key


def is_rate(key: str) -> bool:
    """Whether it is a learning rate; `lr`, or `lr.NAME` of several optimizers."""
    return key == 'lr' or key.startswith('lr.')


def is_accuracy(key: str) -> bool:
    """Whether it is an accuracy in training, such as decode.acc_seg."""
    return key.rpartition('.')[2].startswith('acc')


def is_other(key: str) -> bool:
    """Whether it is none of the above, such as grad_norm or momentum."""
    return not (is_loss(key) or is_rate(key) or is_accuracy(key) or key in SPEED or key == 'eta')


def x_title(runs: Sequence[Run]) -> str:
    """What the axis counts."""
    return ' / '.join(dict.fromkeys(run.unit for run in runs)) or 'iteration'


def training_chart(runs: Sequence[Run], wanted: Callable[[str], bool], y_title: str,
                   log_scale: bool = False) -> Figure | None:
    """The numbers of the training records whose names are `wanted`; None if there are none."""
    keys = list(dict.fromkeys(key for run in runs for key in run.keys('train') if wanted(key)))
    traces = [trace for number, run in enumerate(runs) for index, key in enumerate(keys)
              for trace in _lines(run, number, 'train', key, index, len(runs) > 1)]
    figure = _finish(runs, traces, y_title, log_scale)
    if figure is not None:
        figure['layout']['yaxis']['rangemode'] = 'tozero'
    return figure


def loss_chart(runs: Sequence[Run]) -> Figure | None:
    """All losses, of training and, marked by points, of validation; the whole one comes first.

    With several runs the others are hidden at first.
    """
    traces = []
    for mode in ('train', 'val'):
        keys = dict.fromkeys(key for run in runs for key in run.keys(mode) if is_loss(key))
        keys = sorted(keys, key=lambda key: _trained(key).rpartition('/')[2] != 'loss')
        bases = list(dict.fromkeys(map(_trained, keys)))
        for key in keys:
            index = bases.index(_trained(key))
            hidden = len(runs) > 1 and index > 0
            traces += [trace | ({'visible': 'legendonly'} if hidden else {})
                       for number, run in enumerate(runs)
                       for trace in _lines(run, number, mode, key, index, len(runs) > 1)]
    return _finish(runs, traces, 'loss', log_scale=True)


def score_chart(runs: Sequence[Run]) -> Figure | None:
    """mIoU and the other scores but those of classes; with several runs the others are hidden."""
    names = list(dict.fromkeys(name for run in runs for name in scores_of(run)))
    names.sort(key=lambda name: MAIN.index(_trained(name)) if _trained(name) in MAIN
               else len(MAIN))
    bases = list(dict.fromkeys(map(_trained, names)))
    traces = []
    for name in names:
        index, dash = bases.index(_trained(name)), int(name.endswith(AVERAGED))
        for number, run in enumerate(runs):
            points = scores_of(run).get(name, {})
            if points:
                several = len(runs) > 1
                hidden = several and index > 0 or _trained(name) not in MAIN
                traces.append(line(
                    _title(run, name, several), list(points), list(points.values()),
                    number if several else index, (index if several else 0) + dash, points=True,
                    **({'visible': 'legendonly'} if hidden else {})))
    return _finish(runs, traces, 'score')


def scores_of(run: Run) -> dict[str, dict[float, float]]:
    """Scores of a run but those of classes and losses: name -> place -> value.

    They come from the log and, where that lacks them, from the records of evaluations.
    """
    found: dict[str, dict[float, float]] = {}
    for record in run.val:
        for key in record:
            if key not in ('mode', 'epoch', 'iter', 'x', *SPEED) and not (
                    is_loss(key) or is_rate(key) or is_other_of_training(key)):
                found.setdefault(key, {})[record['x']] = record[key]
    for record in run.evaluations:
        for key, value in record.scores.items():
            name = key + (AVERAGED if record.averaged and not key.endswith(AVERAGED) else '')
            if isinstance(value, int | float) and not is_loss(key):
                found.setdefault(name, {})[record.done] = float(value)
    classes = classes_of(run)
    return {name: dict(sorted(points.items())) for name, points in found.items()
            if class_of(name, classes) is None}


def is_other_of_training(key: str) -> bool:
    """Whether a validation record repeats a number of the training, such as the momentum."""
    return key == 'momentum' or key.startswith('momentum.') or 'acc_seg' in key


def _lines(run: Run, number: int, mode: str, key: str, index: int, several: bool
           ) -> list[dict[str, Any]]:
    """The line of a number, and crosses where it was not finite."""
    x, y = run.curve(mode, key)
    if not x:
        return []
    # The validation has the colours of the training, and points; averaged weights are dashed.
    colour, dash = (number, index) if several else (index, 0)
    dash += key.endswith(AVERAGED)
    name = key if mode == 'train' or key.startswith('val/') else f'val/{key}'
    traces = [line(_title(run, name, several), x, y, colour, dash, points=mode == 'val')]
    wrong, height = [], 0.0
    for place, value in zip(x, y, strict=True):
        if math.isfinite(value):
            height = value
        else:
            wrong.append((place, height))
    if wrong:
        traces.append({
            'type': 'scatter', 'mode': 'markers',
            'name': literal(f'{_title(run, name, several)}: not finite'),
            'x': [place for place, _ in wrong], 'y': [at for _, at in wrong],
            'marker': {'symbol': 'x', 'size': 9, 'color': COLOURS[colour % len(COLOURS)]},
            'hovertemplate': 'not finite at %{x}<extra></extra>'})
    return traces


def _trained(name: str) -> str:
    """The same score or loss of the trained weights."""
    return name.removesuffix(AVERAGED)


def _title(run: Run, name: str, several: bool) -> str:
    return f'{run.name}: {name}' if several else name


def _finish(runs: Sequence[Run], traces: list[dict[str, Any]], y_title: str,
            log_scale: bool = False) -> Figure | None:
    if not traces:
        return None
    marks = [(resume.at, number) for number, run in enumerate(runs) for resume in run.resumes]
    buttons = {'updatemenus': scale_buttons()} if log_scale else {}
    return chart(traces, x_title(runs), y_title, marks, **buttons)
