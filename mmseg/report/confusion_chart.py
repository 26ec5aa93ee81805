"""The confusion matrix as a chart."""
from collections.abc import Sequence

import numpy as np

from mmseg.visualization.confusion import SCALE

from .figures import Figure, buttons, literal

LONGEST = 20  # characters of a name beside the cells; those who point at one see all of it
DIGITS = 4  # of shares: more would only make the page larger


def confusion_chart(matrix: np.ndarray, names: Sequence[str]) -> Figure:
    """Shares of the pixels of each true class (rows), or of each predicted class (columns).

    matrix: [C, C] counts, row = true class. A class without pixels has an empty row (column).
    """
    labels = [literal(label) for label in _labels(names, len(matrix))]
    by_truth = _shares(matrix, 1)
    by_prediction = _shares(matrix, 0)
    hover = '<b>%{y}</b> predicted as <b>%{x}</b><br>'
    trace = {'type': 'heatmap', 'x': labels, 'y': labels, 'z': by_truth, 'customdata': matrix,
             'zmin': 0, 'zmax': 1, 'colorscale': _scale(), 'colorbar': {'tickformat': '.0%'},
             'hoverongaps': False,
             'hovertemplate': hover + '%{z:.2%}, %{customdata:,} pixels<extra></extra>'}
    edge = int(np.clip(len(labels) * 26, 320, 900))
    axis = {'type': 'category'}
    if len(labels) <= 40:  # of more, plotly shows as many as fit
        axis |= {'tickvals': list(range(len(labels))),
                 'ticktext': [literal(_shorten(label)) for label in _labels(names, len(matrix))]}
    return {'data': [trace], 'layout': {
        'height': edge + 180,
        'xaxis': {**axis, 'title': {'text': 'predicted class', 'standoff': 12}, 'tickangle': -90},
        'yaxis': {**axis, 'title': {'text': 'true class', 'standoff': 12}, 'autorange': 'reversed'},
        'updatemenus': buttons('restyle', {
            'share of the true class': {'z': [by_truth]},
            'share of the predicted class': {'z': [by_prediction]}})}}


def confused_pairs(matrix: np.ndarray, names: Sequence[str], number: int = 10
                   ) -> list[tuple[str, str, float, int]]:
    """The most frequent confusions: true class, predicted class, share of the true, pixels."""
    labels = _labels(names, len(matrix))
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(wrong, axis=None)[::-1][:number]
    totals = matrix.sum(axis=1)
    return [(labels[row], labels[column], float(wrong[row, column] / totals[row]),
             int(wrong[row, column]))
            for row, column in zip(*np.unravel_index(order, matrix.shape), strict=True)
            if wrong[row, column]]


def _shares(matrix: np.ndarray, axis: int) -> list[list[float | None]]:
    """Each count divided by the sum over an axis; None where that is 0."""
    totals = matrix.sum(axis=axis, keepdims=True)
    shares = np.where(totals > 0, matrix / np.maximum(totals, 1), np.nan).round(DIGITS)
    return [[None if np.isnan(share) else share for share in row] for row in shares.tolist()]


def _scale() -> list[tuple[float, str]]:
    return [(place, f'rgb({red:.0f},{green:.0f},{blue:.0f})') for place, (red, green, blue) in zip(
        np.linspace(0, 1, len(SCALE)).tolist(), SCALE, strict=True)]


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST else f'{name[:LONGEST - 1].rstrip()}…'


def _labels(names: Sequence[str], number: int) -> list[str]:
    """Names of which no two are equal, as such classes would fall together; or else numbers."""
    if len(names) != number:
        return [str(place) for place in range(number)]
    return [name if list(names).count(name) == 1 else f'{name} ({place})'
            for place, name in enumerate(names)]
