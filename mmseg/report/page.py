"""`write_report`: the records of runs as one HTML page."""
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mmseg.visualization.html import Html, table, tag

from .classes import best_place, by_classes, class_bars, class_curves
from .confusion_chart import confused_pairs, confusion_chart
from .curves import is_accuracy, is_other, is_rate, loss_chart, training_chart
from .facts import add_environment, config_values, data_facts
from .names import REPORT
from .overview import NO_EVALUATION, add_overview, add_scores
from .picture_sections import fixed_pictures, worst_pictures
from .plotly_file import plotly_file
from .run import Run
from .runs import find_run
from .sheet import Sheet, lacking, place

PICTURES = 3_000_000  # characters of all pictures on a page, at most, beside 2 MB of plotly
NO_CLASSES = ('No scores of classes are recorded: evaluations of this toolkit keep them in '
              'WORK_DIR/evaluations.')
NO_MATRIX = ('No confusion matrix is recorded: evaluations of this toolkit keep it in '
             'WORK_DIR/evaluations, but those of a dataset with its own evaluate or pre_eval have '
             'none.')
NO_RECORDS = ('The log has no line of training yet: there is one every log_config.interval '
              'iterations.')


def write_report(places: Sequence[str | Path], out: str | Path | None = None,
                 user: str = 'a report') -> Path:
    """Write a page on the newest runs of work directories, or on the runs of logs; its path.

    By default it is report.html in the first folder. Raises DataError for a folder without a log,
    MissingModuleError (for the `user`) without plotly.
    """
    plotly = plotly_file(user)
    runs = _named([find_run(each) for each in places])
    path = Path(out) if out is not None else runs[0].folder / REPORT
    sheet = Sheet(', '.join(run.name for run in runs), plotly)
    add_overview(sheet, runs)
    add_scores(sheet, runs)
    _add_curves(sheet, runs)
    _add_classes(sheet, runs)
    _add_each(sheet, 'Confusion matrix', runs, partial(_matrix, sheet))
    limit = PICTURES / 2 / len(runs)
    _add_each(sheet, 'Validation images', runs, partial(fixed_pictures, sheet, limit=limit))
    _add_each(sheet, 'Worst images', runs, lambda run, _: worst_pictures(run, limit))
    _add_speed(sheet, runs)
    _add_each(sheet, 'Data', runs, lambda run, _: data_facts(run))
    add_environment(sheet, runs)
    _add_each(sheet, 'Config', runs, config_values)
    sheet.write(path)
    return path


def _named(runs: list[Run]) -> list[Run]:
    """Give runs of equal names, as of folders in different places, names that differ."""
    names = [run.name for run in runs]
    for number, run in enumerate(runs):
        if names.count(run.name) > 1:
            run.name = f'{run.name} ({number + 1})'
    return runs


def _add_each(sheet: Sheet, title: str, runs: Sequence[Run],
              make: Callable[[Run, int], list[Html]]) -> None:
    """Add a section with what `make` returns for each run and its number, under its name."""
    sheet.section(title, *(part for number, run in enumerate(runs) for part in (
        *([tag('h3', run.name)] if len(runs) > 1 else []), *make(run, number))))


def _add_curves(sheet: Sheet, runs: Sequence[Run]) -> None:
    """Losses, and the other numbers of the training."""
    losses = loss_chart(runs)
    parts = [lacking(NO_RECORDS) if losses is None else sheet.chart(
        'losses', losses, 'losses over the training')]
    if not any(key.startswith('val/loss') for run in runs for key in run.keys('val')):
        parts.append(lacking('Validation loss is not recorded: evaluation = dict(val_loss=True) '
                             'computes it at each evaluation.'))
    sheet.section('Losses', *parts)
    charts = [(title, sheet.chart(name, figure, f'{title} over the training'))
              for name, title, wanted in (('rates', 'Learning rate', is_rate),
                                          ('accuracy', 'Accuracy in training, %', is_accuracy),
                                          ('others', 'Other numbers', is_other))
              if (figure := training_chart(runs, wanted, title, name != 'accuracy')) is not None]
    if charts:
        sheet.section('Learning rate and other numbers', *(
            part for title, place_of in charts for part in (tag('h3', title), place_of)))


def _add_classes(sheet: Sheet, runs: Sequence[Run]) -> None:
    groups = by_classes(runs)
    if not groups:
        evaluated = any(run.val or run.evaluations for run in runs)
        sheet.section('Classes', lacking(NO_CLASSES if evaluated else NO_EVALUATION))
        return
    parts = []
    for number, group in enumerate(groups):
        names = ', '.join(run.name for run in group)
        parts += [*([tag('h3', names)] if len(groups) > 1 else []), sheet.chart(
            f'bars{number}', class_bars(group, len(runs) > 1), f'IoU of each class, {names}')]
    for number, run in enumerate(runs):
        figure = class_curves(run)
        if figure is not None:
            title = f'IoU over time{f", {run.name}" if len(runs) > 1 else ""}'
            parts += [tag('h3', title), sheet.chart(f'classes{number}', figure, title)]
    sheet.section('Classes', *parts)


def _matrix(sheet: Sheet, run: Run, number: int) -> list[Html]:
    """The matrix of the best evaluation, or of the last one that has a matrix."""
    records = [record for record in run.evaluations if record.confusion is not None]
    best = best_place(run)
    record = next((record for record in records if record.done == best),
                  records[-1] if records else None)
    if record is None:
        return [lacking(NO_MATRIX if run.val or run.evaluations else NO_EVALUATION)]
    matrix, names = record.confusion, record.classes
    which = 'the best evaluation' if record.done == best else 'the last one with a matrix'
    parts = [tag('p', f'at {run.unit} {place(record.done)}, {which}'),
             sheet.chart(f'confusion{number}', confusion_chart(matrix, names), 'confusion matrix',
                         width=min(300 + 22 * len(matrix), 1100))]
    pairs = confused_pairs(matrix, names)
    if pairs:
        parts += [tag('h3', 'Most frequent confusions'), table(
            ('true class', 'predicted class', 'share of the true class', 'pixels'),
            [(true, predicted, f'{100 * share:.2f} %', f'{pixels:,}')
             for true, predicted, share, pixels in pairs], numbers=(2, 3))]
    return parts


def _add_speed(sheet: Sheet, runs: Sequence[Run]) -> None:
    parts = []
    for key, title in (('fps', 'images/s'), ('time', 'seconds per iteration'),
                       ('data_time', 'seconds of waiting for data'), ('memory', 'memory in MiB')):
        figure = training_chart(runs, key.__eq__, title)
        if figure is None:
            why = {'fps': 'IterTimerHook, which every training has, writes it; logs of '
                          'mmsegmentation 0.x lack it',
                   'memory': 'the log has it where the device reports its memory'}.get(
                       key, 'IterTimerHook writes it')
            parts.append(lacking(f'No {title}: {why}.'))
        else:
            parts += [tag('h3', title), sheet.chart(f'speed_{key}', figure, title)]
    sheet.section('Speed and memory', *parts)
