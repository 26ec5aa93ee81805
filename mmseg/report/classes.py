"""Scores of single classes: which names they have, and their charts."""
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from mmseg.core.evaluation.records import AVERAGED

from .figures import COLOURS, Figure, chart, line, literal
from .run import Run
from .sheet import place

METRICS = ('IoU', 'Acc', 'Dice', 'Fscore', 'Precision', 'Recall')  # of classes, before a dot
MANY = 12  # classes: more are hidden in the chart over time, but for the best and the worst


def classes_of(run: Run) -> tuple[str, ...]:
    """Names of the run's classes; empty if nothing tells them."""
    for record in reversed(run.evaluations):
        if record.classes:
            return record.classes
    classes = run.meta.get('CLASSES')
    return tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()


def class_of(score: str, classes: Collection[str] = ()) -> str | None:
    """The class of a score such as IoU.person; None for a score of all, or of a group of classes.

    Without `classes` every name behind a dot counts as one.
    """
    metric, _, name = score.removesuffix(AVERAGED).partition('.')
    if metric not in METRICS or not name or (classes and name not in classes):
        return None
    return name


def class_scores(run: Run) -> dict[float, dict[str, float]]:
    """IoU of classes by the place of the evaluation.

    It is that of the averaged weights where only those were scored.
    """
    return weights_scores(run, averaged=False) or weights_scores(run, averaged=True)


def weights_scores(run: Run, averaged: bool) -> dict[float, dict[str, float]]:
    """IoU of classes with one set of weights: from the evaluation's record, or else the log."""
    classes = classes_of(run)
    found: dict[float, dict[str, float]] = {}
    for record in run.val:
        scores = {class_of(key, classes): value for key, value in record.items()
                  if key.startswith('IoU.') and key.endswith(AVERAGED) == averaged
                  and class_of(key, classes)}
        if scores:
            found[record['x']] = scores
    for record in run.evaluations:
        if record.averaged == averaged:
            scores = {name: float(record.scores[key]) for name in record.classes
                      if isinstance(record.scores.get(key := f'IoU.{name}'), int | float)}
            if scores:
                found[record.done] = scores
    return dict(sorted(found.items()))


def best_place(run: Run) -> float | None:
    """The place of the evaluation with the highest mean IoU of classes; None without one."""
    found = class_scores(run)
    means = {place: np.nanmean(list(scores.values())) for place, scores in found.items()
             if np.isfinite(list(scores.values())).any()}
    return max(means, key=means.get) if means else next(iter(found), None)


def class_curves(run: Run) -> Figure | None:
    """IoU of each class over time; of many only the three best and worst are shown at first."""
    found = class_scores(run)
    if not found:
        return None
    last = list(found.values())[-1]
    order = sorted(last, key=lambda name: -np.nan_to_num(last[name], nan=-1))
    shown = order if len(order) <= MANY else [*order[:3], *order[-3:]]
    traces = []
    for number, name in enumerate(order):
        points = {place: scores[name] for place, scores in found.items() if name in scores}
        hidden = {} if name in shown else {'visible': 'legendonly'}
        traces.append(line(name, list(points), list(points.values()), number,
                           number // len(COLOURS), points=True, **hidden))
    marks = [(resume.at, 0) for resume in run.resumes]
    beside = {'legend': {'x': 1.02, 'y': 1}} if len(order) > MANY else {}
    return chart(traces, run.unit, 'IoU', marks, **beside)


def class_bars(runs: Sequence[Run], named: bool) -> Figure:
    """IoU of each class as bars, the highest first: at the best and at the last evaluation.

    Averaged weights have a bar too. Of several runs of the same classes there is the best
    evaluation of each; `named`: tell the run's name.
    """
    bars = []
    for run in runs:
        found, best = class_scores(run), best_place(run)
        title = f'{run.name}: ' if named else ''
        bars.append((f'{title}best, {run.unit} {place(best)}', found[best]))
        last = list(found)[-1]
        if len(runs) == 1 and last != best:
            bars.append((f'{title}last, {run.unit} {place(last)}', found[last]))
        averaged = weights_scores(run, averaged=True)
        if len(runs) == 1 and averaged and averaged != found:
            last = list(averaged)[-1]
            bars.append((f'{title}averaged weights, {run.unit} {place(last)}', averaged[last]))
    first = bars[0][1]
    # Values beside the bars, where there is room for them.
    beside = {'textposition': 'outside', 'cliponaxis': False, 'texttemplate': '%{x:.4f}',
              'textfont': {'size': 10}} if len(bars) <= 3 else {}
    names = sorted(dict.fromkeys(name for _, scores in bars for name in scores),
                   key=lambda name: -np.nan_to_num(first.get(name, np.nan), nan=-1))
    traces: list[dict[str, Any]] = [
        {'type': 'bar', 'orientation': 'h', 'name': literal(title),
         'y': [literal(name) for name in names],
         'x': [scores.get(name) for name in names],
         'marker': {'color': COLOURS[number % len(COLOURS)]},
         'hovertemplate': '%{y}: %{x:.4f}<extra></extra>', **beside}
        for number, (title, scores) in enumerate(bars)]
    return {'data': traces, 'layout': {
        'xaxis': {'title': {'text': 'IoU'}, 'rangemode': 'tozero'},
        # The first at the top; every name has a line.
        'yaxis': {'autorange': 'reversed', 'type': 'category', 'dtick': 1, 'automargin': True},
        'barmode': 'group', 'legend': {'orientation': 'h', 'x': 0, 'y': 1, 'yanchor': 'bottom'},
        'margin': {'l': 60, 'r': 60, 't': 50, 'b': 50},  # on the right for the values
        'height': 120 + len(names) * (10 + 10 * len(bars))}}


def by_classes(runs: Sequence[Run]) -> list[list[Run]]:
    """Groups of runs that have scores of the same classes."""
    groups: dict[frozenset[str], list[Run]] = {}
    for run in runs:
        found = class_scores(run)
        if found:
            groups.setdefault(frozenset(list(found.values())[-1]), []).append(run)
    return list(groups.values())
