"""Curves of logs as a picture, by matplotlib: what `tools/analyze_logs.py` draws."""
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.misc.optional import import_optional
from mmcv_replace.utils.suggest import did_you_mean
from mmseg.core.evaluation.records import AVERAGED
from mmseg.visualization.fonts import choose_fonts

from .run import Run
from .runs import find_run

# Names of seaborn's styles, which users of 0.x know, in matplotlib.
SEABORN = ('darkgrid', 'whitegrid', 'dark', 'white', 'ticks')

logger = logging.getLogger('mmseg.report')


@dataclass(frozen=True)
class PlotOptions:
    """How curves are drawn; `legend` names all of them, those of one log after the other."""

    keys: Sequence[str] = ('mIoU',)
    title: str | None = None
    legend: Sequence[str] | None = None
    backend: str | None = None  # of matplotlib, such as agg
    style: str = 'dark'  # of matplotlib or seaborn
    out: str | None = None  # a picture or PDF; None opens a window


def plot_curves(logs: Sequence[str], options: PlotOptions) -> None:
    """Draw the numbers `options.keys` of logs, or work directories, over iterations or epochs.

    Raises MissingModuleError without matplotlib, DataError for a key that a log lacks, ConfigError
    for a legend of another length, an unknown style or backend, and a file that cannot be written.
    """
    remedy = "pip install 'matplotlib>=3.8', or pip install -e .[plot]"
    matplotlib = import_optional('matplotlib', 'tools/analyze_logs.py plot_curve', remedy)
    curves = [curve for log in logs for run in [find_run(log)] for curve in _curves(
        run, log, options.keys)]
    names = options.legend or [name for name, *_ in curves]
    if len(names) != len(curves):
        raise ConfigError(f'--legend has {len(names)} names for {len(curves)} curves: give one for '
                          f'each of {len(options.keys)} keys of each of {len(logs)} logs')
    plt = _prepare(matplotlib, options)
    (title, *names), families = _fit_fonts([options.title or '', *names])
    plt.rcParams['font.family'] = [*plt.rcParams['font.family'], *families]
    figure, axes = plt.subplots(figsize=(9, 5.5))
    try:
        for name, (_, x, y, marked, _) in zip(names, curves, strict=True):
            axes.plot(x, y, label=name, marker='o' if marked else None,
                      linewidth=1.5 if marked else 0.8)
        axes.set_xlabel(' / '.join(dict.fromkeys(unit for *_, unit in curves)))
        axes.legend()
        axes.set_title(title)
        figure.tight_layout()
        _give_out(plt, figure, options.out)
    finally:
        plt.close(figure)


def _curves(run: Run, log: str, keys: Sequence[str]
            ) -> list[tuple[str, list[float], list[float], bool, str]]:
    """Name, places, values, whether it is of evaluations, and the unit of each curve."""
    for note in run.notes:
        logger.warning('%s', note)
    curves, recorded = [], _recorded(run)
    for key in keys:
        mode = next((mode for mode in ('train', 'val') if key in run.keys(mode)), None)
        if mode is None and key not in recorded:
            known = dict.fromkeys([*run.keys('train'), *run.keys('val')])
            raise DataError(f'{log} has no {key!r}{did_you_mean(key, [*known, *recorded])} (it has '
                            f'{", ".join(known) or "no records"})')
        # What both have, such as the loss of a validation, is that of the training.
        x, y = run.curve(mode, key) if mode is not None else recorded[key]
        curves.append((f'{log}_{key}', x, y, mode != 'train', run.unit))
    return curves


def _recorded(run: Run) -> dict[str, tuple[list[float], list[float]]]:
    """Places and values of all scores of the evaluations; those of classes are not in the log."""
    found: dict[str, dict[float, float]] = {}
    for record in run.evaluations:
        end = AVERAGED if record.averaged else ''
        for name, value in record.scores.items():
            if isinstance(value, int | float):
                found.setdefault(f'{name}{end}', {})[record.done] = value
    return {name: (sorted(points), [points[place] for place in sorted(points)])
            for name, points in found.items()}


def _prepare(matplotlib: Any, options: PlotOptions) -> Any:
    """matplotlib's pyplot with the wanted backend and style."""
    from matplotlib import style
    if options.out is not None or options.backend is not None:
        try:
            matplotlib.use(options.backend or 'agg')
        except (ImportError, ValueError) as error:
            raise ConfigError(f'--backend {options.backend}: {error}') from error
    from matplotlib import pyplot as plt
    name = f'seaborn-v0_8-{options.style}' if options.style in SEABORN else options.style
    if name != 'default' and name not in style.available:
        known = [*SEABORN, *style.available]
        raise ConfigError(f'--style {options.style!r} is unknown'
                          f'{did_you_mean(options.style, known)}; styles are {", ".join(known)}')
    style.use(name)
    return plt


def _fit_fonts(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The texts as they can be drawn, and the fonts of those that matplotlib's own may lack.

    matplotlib would draw boxes, and does not see fonts that were installed after its first use.
    """
    from matplotlib.font_manager import fontManager
    drawn, families = [], {}
    for text in texts:
        font = None
        if not text.isascii():
            ((font, text),) = choose_fonts([text], 12)
        if isinstance(getattr(font, 'path', None), str):  # Pillow's own has no file
            fontManager.addfont(font.path)
            families[font.getname()[0]] = None
        drawn.append(text)
    return drawn, list(families)


def _give_out(plt: Any, figure: Any, out: str | None) -> None:
    if out is not None:
        try:
            Path(out).parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(out)
        except (OSError, ValueError) as error:
            raise ConfigError(f'--out {out}: {error}') from error
    elif plt.get_backend().lower() == 'agg':
        raise ConfigError('no window can be opened here (no display, or a matplotlib without a '
                          'toolkit for windows): write the picture with --out FILE.png')
    else:
        plt.show()
