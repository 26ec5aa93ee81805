"""One-file HTML pages: pictures, data, styles and scripts are inside, and no network is asked.

Text becomes HTML by `tag`, which escapes it. Only what is of the class `Html` is taken as it is.
"""
import base64
import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import DataError

from .encode import encode_picture

# The browser itself refuses whatever is not in the file.
# A blob is data of the page itself, by which scripts save a chart as a picture.
POLICY = ("default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'")
VOID = ('img', 'br', 'hr', 'input', 'meta')  # elements without an end


class Html(str):
    """A text that is HTML already."""


def escape(text: object) -> Html:
    """A text as HTML; Html stays as it is. Undecodable bytes of file names are shown escaped."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(str(text).encode('utf-8', 'backslashreplace').decode()))


def tag(name: str, /, *content: object, **attributes: object) -> Html:
    """An element with escaped content and attributes: `tag('a', 'text', href='#top', cls='x')`.

    `cls` stands for class, and `_` in names for `-`. An attribute that is True has no value; one
    that is None or False is left out.
    """
    given = ''.join(_attribute('class' if key == 'cls' else key.replace('_', '-'), value)
                    for key, value in attributes.items()
                    if value is not None and value is not False)
    start = f'<{name}{given}>'
    return Html(start if name in VOID else f'{start}{join(content)}</{name}>')


def _attribute(name: str, value: object) -> str:
    return f' {name}' if value is True else f' {name}="{escape(value)}"'


def join(parts: Iterable[object]) -> Html:
    """Several texts or elements after each other."""
    return Html(''.join(map(escape, parts)))


def table(header: Sequence[object], rows: Iterable[Sequence[object]],
          numbers: Sequence[int] = (), **attributes: object) -> Html:
    """A table of texts and elements; `numbers` are the places of columns that are aligned right."""
    def row(cells: Sequence[object], kind: str) -> Html:
        return tag('tr', *(tag(kind, cell, cls='number' if place in numbers else None)
                           for place, cell in enumerate(cells)))

    return tag('table', tag('thead', row(header, 'th')),
               tag('tbody', *(row(cells, 'td') for cells in rows)), **attributes)


class Page:
    """A page that is written as one file; `lang` is the language of its texts."""

    def __init__(self, title: str, lang: str = 'en') -> None:
        self.title = title
        self.lang = lang
        self._styles = [files(__package__).joinpath('page.css').read_text(encoding='utf-8')]
        self._body: list[Html] = []
        self._data: dict[str, Html] = {}
        self._scripts: list[Html] = []

    def add(self, *parts: object) -> None:
        """Add elements, in a line each; a text that is not Html is escaped."""
        self._body += map(escape, parts)

    def picture(self, bgr: np.ndarray, alt: str, format: str = 'jpeg',
                **attributes: object) -> Html:
        """An <img> of a BGR picture [H, W, 3] uint8, with its pixels inside; `alt` describes it.

        format: 'jpeg' for photographs, 'png' for what has few colours.
        """
        content = base64.b64encode(encode_picture(bgr, format)).decode()
        return tag('img', **dict(src=f'data:image/{format};base64,{content}', alt=alt,
                                 width=bgr.shape[1], height=bgr.shape[0]) | attributes)

    def data(self, name: str, value: Any) -> None:
        """Add data for scripts: `JSON.parse(document.getElementById(name).textContent)`.

        Numbers that are not finite become null, which JSON has in their place; arrays of NumPy
        become lists. Raises DataError for a name that is there already.
        """
        if name in self._data:
            raise DataError(f'the page has data {name!r} already')
        text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False,
                          separators=(',', ':'))
        # No '<' that could end the element; inside of JSON it only occurs in strings.
        text = text.encode('utf-8', 'backslashreplace').decode().replace('<', '\\u003c')
        self._data[name] = tag('script', Html(text), type='application/json', id=name)

    def style(self, css: str) -> None:
        """Add rules of CSS to those that all pages have."""
        self._styles.append(css)

    def script(self, code: str) -> None:
        """Add a script, which runs after all that is on the page is there."""
        # In a string or comment of a script `</script` would end the element.
        self._scripts.append(tag('script', Html(code.replace('</script', '<\\/script'))))

    def html(self) -> str:
        """The whole page."""
        head = [tag('meta', charset='utf-8'),
                tag('meta', http_equiv='Content-Security-Policy', content=POLICY),
                tag('meta', name='viewport', content='width=device-width, initial-scale=1'),
                tag('title', self.title),
                *(tag('style', Html(css.replace('</', '<\\/'))) for css in self._styles)]
        body = [tag('h1', self.title), *self._body, *self._data.values(), *self._scripts]
        return '\n'.join(['<!DOCTYPE html>', tag('html', '\n', tag('head', *_lines(head)), '\n',
                                                 tag('body', *_lines(body)), lang=self.lang), ''])

    def write(self, path: str | Path) -> None:
        """Write the page; an old file is replaced at once. DataError where it cannot be written."""
        try:
            with atomic_write(path, 'w') as file:
                file.write(self.html())
        except OSError as error:
            raise DataError(f'cannot write the page {path}: {error.strerror or error}; name '
                            'another place for it') from error


def _lines(parts: Iterable[Html]) -> Iterable[Html]:
    return (Html(f'\n{part}') for part in parts)


def _plain(value: Any) -> Any:
    """A value in types that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
