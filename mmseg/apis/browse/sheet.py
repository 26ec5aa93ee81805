"""A sample as one picture: its steps side by side."""
from pathlib import PurePath

import numpy as np

from mmseg.datasets.tracing import Trace
from mmseg.visualization import side_by_side

from .cards import Painter, describe_draws, describe_error, visible


def draw_sheet(painter: Painter, trace: Trace) -> np.ndarray:
    """A BGR picture with a panel for each step that changes what is seen, and a legend."""
    panels, labels = [], {}
    for card in visible(painter.cards(trace)):
        draws = ', '.join(f'{name} {value}' for name, value in describe_draws(card.step).items())
        panels.append((f'{card.step.name} {draws}'.rstrip(), painter.overlay(card)))
        labels |= card.shares
    if trace.error is not None:
        side = painter.options.max_side
        failed = np.full((side * 3 // 4, side, 3), 235, np.uint8)
        step = trace.steps[-1].name if trace.steps else 'sample'
        panels.append((f'{step}: {describe_error(trace.error)}', failed))
    return side_by_side(panels, legend=[painter.entry(label) for label in sorted(labels)])


def sheet_name(trace: Trace) -> str:
    """The name of the file of a sample's picture, the same in each run."""
    stem = '' if trace.file is None else f'_{PurePath(trace.file).stem}'
    return f'{trace.index:06d}{stem}_epoch{trace.epoch}.png'
