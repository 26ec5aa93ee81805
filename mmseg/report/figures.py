"""Charts as plain dicts in plotly's form: the data of lines, and what their axes say."""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Figure = dict[str, Any]  # 'data': traces, 'layout': axes and the like
POINTS = 2000  # of a line; of more, the lowest and the highest of each stretch are drawn
# Distinct in print, on white and on black, and for most who see fewer colours.
COLOURS = ('#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377', '#ee8833', '#999999',
           '#44aa99', '#bb88dd')
DASHES = ('solid', 'dot', 'dash', 'dashdot', 'longdash', 'longdashdot')


def line(name: str, x: Sequence[float], y: Sequence[float], colour: int, dash: int = 0,
         points: bool = False, **options: Any) -> dict[str, Any]:
    """A trace: values `y` at `x`, with a gap where one is not finite; `points` marks each."""
    x, y = thin(x, y)
    style = {'color': COLOURS[colour % len(COLOURS)], 'dash': DASHES[dash % len(DASHES)]}
    return {'type': 'scatter', 'name': literal(name), 'x': x, 'y': y, 'line': style,
            'mode': 'lines+markers' if points or len(x) < 3 else 'lines', **options}


def chart(traces: Sequence[dict[str, Any]], x_title: str, y_title: str,
          marks: Sequence[tuple[float, int]] = (), **layout: Any) -> Figure:
    """A chart of lines; `marks`: place and number of the colour of vertical lines, for resumes."""
    return {'data': list(traces), 'layout': {
        'xaxis': {'title': {'text': x_title}}, 'yaxis': {'title': {'text': y_title}},
        'shapes': [{'type': 'line', 'x0': x, 'x1': x, 'yref': 'paper', 'y0': 0, 'y1': 1,
                    'line': {'color': COLOURS[colour % len(COLOURS)], 'dash': 'dot', 'width': 1}}
                   for x, colour in marks], **layout}}


def buttons(method: str, choices: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Buttons above a chart, the first of them chosen: text -> what plotly's method is to set."""
    return [{'type': 'buttons', 'direction': 'left', 'x': 0, 'xanchor': 'left', 'y': 1,
             'yanchor': 'bottom', 'pad': {'b': 4},
             # The chosen one is always light, also on a dark page.
             'bgcolor': '#dfe5ec', 'font': {'color': '#1c1e21'},
             'buttons': [{'label': label, 'method': method, 'args': [change]}
                         for label, change in choices.items()]}]


def scale_buttons() -> list[dict[str, Any]]:
    """Buttons of a chart for a linear and a logarithmic axis of values."""
    return buttons('relayout', {kind: {'yaxis.type': kind} for kind in ('linear', 'log')})


def literal(text: str) -> str:
    """A text for plotly, which would take <b> and &lt; in it for HTML."""
    return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')


def thin(x: Sequence[float], y: Sequence[float], limit: int = POINTS
         ) -> tuple[list[float], list[float]]:
    """At most about `limit` points of a line: of each stretch its lowest, highest and a gap.

    Peaks and values that are not finite stay.
    """
    if len(x) <= limit:
        return list(x), list(y)
    values = np.asarray(y, float)
    kept = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), limit // 2):
        finite = part[np.isfinite(values[part])]
        if len(finite):
            kept |= {int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])}
        if len(finite) < len(part):
            kept.add(int(part[~np.isfinite(values[part])][0]))
    order = sorted(kept)
    return [x[place] for place in order], [y[place] for place in order]
