"""The first sections of a report: what became of the runs, and their scores."""
import json
import math
from collections.abc import Sequence
from typing import Any

from mmcv_replace.utils.path import matching_files
from mmseg.visualization.html import table, tag

from .classes import class_of
from .curves import MAIN, score_chart, scores_of
from .run import Run
from .sheet import UNKNOWN, Sheet, lacking, place, score
from .speed import images_per_second

NO_EVALUATION = (
    'No evaluation is recorded: the run ended before its first one, or it was started with '
    '--no-validate. evaluation = dict(interval=2000, metric="mIoU") in the config says how often '
    'there is one.')


def add_overview(sheet: Sheet, runs: Sequence[Run]) -> None:
    """A table with a row for each run, resumes, and what the records lack."""
    head = ('run', 'started', 'state', 'best score', 'last score', 'loss', 'images/s', 'memory')
    parts = [table(head, [_row(run) for run in runs], numbers=range(3, len(head)), id='runs')]
    notes = [tag('li', f'{_owner(run, runs)}{text}') for run in runs
             for text in (*_resumes(run), *_stop(run), *run.notes)]
    if notes:
        parts.append(tag('ul', *notes, id='notes'))
    sheet.section('Overview', *parts)


def add_scores(sheet: Sheet, runs: Sequence[Run]) -> None:
    """The scores over iterations, and those of tools/test.py."""
    figure = score_chart(runs)
    parts = [lacking(NO_EVALUATION) if figure is None else sheet.chart(
        'scores', figure, 'scores of the evaluations over the training')]
    tests = [(f'{_owner(run, runs)}{file}', scores) for run in runs
             for file, scores in _tests(run)]
    if tests:
        parts += [tag('h3', 'Scores of tools/test.py'), table(('file', 'scores'), tests)]
    sheet.section('Scores', *parts)


def _row(run: Run) -> Sequence[object]:
    losses = run.curve('train', 'loss')[1]
    memory = [value for value in run.curve('train', 'memory')[1] if math.isfinite(value)]
    fps = images_per_second(run.train)
    best, last = _main_score(run)
    return (run.name, _started(run), _state(run), best, last,
            score(losses[-1]) if losses else UNKNOWN,
            UNKNOWN if fps is None else f'{fps:.2f}',
            f'{max(memory):,.0f} MiB' if memory else UNKNOWN)


def _started(run: Run) -> str:
    name = run.logs[0].path.name
    try:
        day, time = name[:8], name[9:15]
        return f'{int(day[:4])}-{day[4:6]}-{day[6:]} {int(time[:2]):02}:{time[2:4]}'
    except ValueError:
        return name


def _state(run: Run) -> str:
    done = f'{run.unit} {place(run.last)}'
    if run.length is None:
        return done
    if run.finished:
        return f'finished, {done}'
    return f'{"stopped early, " if run.stopped else ""}{done} of {run.length:,}'


def _main_score(run: Run) -> tuple[str, str]:
    """The best value of mIoU, or of the first score that there is, with its place; the last."""
    scores = scores_of(run)
    name = next((name for main in MAIN for name in (main, f'{main}_ema') if name in scores),
                next(iter(scores), None))
    points = {x: value for x, value in scores.get(name, {}).items() if math.isfinite(value)}
    if not points:
        return UNKNOWN, UNKNOWN
    best = max(points, key=points.get)
    return (f'{name} {points[best]:.4f} ({run.unit} {place(best)})',
            f'{list(points.values())[-1]:.4f}')


def _resumes(run: Run) -> list[str]:
    return [f'resumed at {run.unit} {place(resume.at)} (log {resume.log})'
            + (f'; {place(resume.lost)} {run.unit}s were done again' if resume.lost else '')
            for resume in run.resumes]


def _stop(run: Run) -> list[str]:
    # It may have been stopped at its last evaluation, which is no earlier than its end.
    return [f'stopped early: {run.stopped}'] if run.stopped and not run.finished else []


def _tests(run: Run) -> list[tuple[str, str]]:
    """Files that tools/test.py writes, and their scores but those of classes."""
    found = []
    for file in matching_files(run.folder, 'eval_*.json'):
        try:
            content: Any = json.loads(file.read_text(encoding='utf-8'))
            scores = ', '.join(f'{name} {value:.4f}' for name, value in content.items()
                               if isinstance(value, int | float) and class_of(name) is None)
        except (OSError, ValueError, AttributeError) as error:
            scores = f'cannot be read: {error}'
        found.append((file.name, scores))
    return found


def _owner(run: Run, runs: Sequence[Run]) -> str:
    return f'{run.name}: ' if len(runs) > 1 else ''
