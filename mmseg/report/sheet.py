"""The page of a report under construction: sections, charts that the browser draws, texts."""
import math
from importlib.resources import files
from pathlib import Path

from mmseg.visualization.html import Html, Page, tag

from .figures import Figure
from .plotly_file import packed_plotly

UNKNOWN = '–'
CHART_HEIGHT = 420  # pixels, where a chart says nothing else


class Sheet:
    """A page with a list of contents and charts in plotly's form; `plotly` is its script."""

    def __init__(self, title: str, plotly: Path) -> None:
        self._page = Page(title)
        self._plotly = plotly
        self._charts: dict[str, Figure] = {}
        self._contents: list[Html] = []
        self._sections: list[Html] = []

    def section(self, title: str, *parts: object) -> None:
        """Add a section; parts are elements, or texts to escape."""
        ident = f's{len(self._sections)}'
        self._contents.append(tag('a', title, href=f'#{ident}'))
        self._sections.append(tag('section', tag('h2', title), *parts, id=ident))

    def chart(self, name: str, figure: Figure, about: str, width: int = 300) -> Html:
        """The place of a chart; `about` describes it to those who do not see it.

        In a window of less than `width` pixels it can be scrolled.
        """
        height = figure['layout'].setdefault('height', CHART_HEIGHT)
        assert name not in self._charts, name
        self._charts[name] = figure
        return tag('div', cls='chart', data_chart=name, role='img', aria_label=about,
                   style=f'min-height:{height}px;min-width:{width}px')

    def data(self, name: str, value: object) -> None:
        """Add data for the page's script."""
        self._page.data(name, value)

    def write(self, path: Path) -> None:
        """Write the page; DataError where that is impossible."""
        page = self._page
        page.style(_file('page.css'))
        page.add(tag('nav', *self._contents),
                 tag('p', 'Charts need JavaScript, which is switched off or not yet done.',
                     id='trouble', cls='bad'), *self._sections)
        page.data('charts', self._charts)
        if self._charts:
            page.data('plotly', packed_plotly(self._plotly))
        page.script(_file('page.js'))
        page.write(path)


def lacking(text: str) -> Html:
    """What a run has no records for, and how to get them."""
    return tag('p', text, cls='soft lacking')


def place(x: float) -> str:
    """An iteration or epoch as text."""
    return f'{x:,.0f}' if float(x).is_integer() else f'{x:,.2f}'


def score(value: float) -> str:
    """A score as text; one that is not finite is unknown."""
    return f'{value:.4f}' if math.isfinite(value) else UNKNOWN


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding='utf-8')
