"""A sample as one picture: its steps side by side."""
from pathlib import PurePath

import numpy as np

from mmseg.datasets.tracing import Trace
from mmseg.visualization import side_by_side

from .cards import Painter, split_attempts, visible
from .describe import describe_error, draws_in_line

COLUMNS = 4  # panels in a row, where they have their largest size
NARROWEST = 200  # pixels of a panel, for what its step has drawn


def draw_sheet(painter: Painter, trace: Trace) -> np.ndarray:
    """A BGR picture with a panel for each step that changes what is seen, and a legend.

    Of a sample that was dropped another one's steps are shown, which is loaded in its place.
    """
    panels, labels = [], {}
    side = painter.options.max_side
    *dropped, (name, cards) = split_attempts(painter.cards(trace)) or [(None, [])]
    for card in visible(cards):
        title = f'{card.step.name}\n{draws_in_line(card.step)}'
        panels.append((title, painter.overlay(card)))
        labels |= card.shares
    if dropped and panels:
        title, picture = panels[0]
        panels[0] = (f'{title}\n{dropped[-1][1][-1].step.name} has dropped the sample; in its '
                     f'place: {name or "another one"}', picture)
    if trace.error is not None:
        failed = np.full((8, side, 3), 235, np.uint8)  # below the error
        step = trace.steps[-1].name if trace.steps else 'sample'
        panels.append((f'{step}\n{describe_error(trace.error)}', failed))
    return side_by_side(panels, legend=[painter.entry(label) for label in sorted(labels)],
                        narrowest=min(side, NARROWEST), row_width=COLUMNS * side + 3 * side // 4)


def sheet_name(trace: Trace) -> str:
    """The name of the file of a sample's picture, the same in each run."""
    stem = '' if trace.file is None else f'_{PurePath(trace.file).stem}'
    return f'{trace.index:06d}{stem}_epoch{trace.epoch}.png'
