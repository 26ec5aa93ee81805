"""Variables in the text of a config file: `{{ fileDirname }}` and its like, `{{ _base_.key }}`."""
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .base_values import PLACE, text_of

_JSON_PARTS = re.compile(rf'"(?:[^"\\]|\\.)*"|{PLACE.pattern}', re.DOTALL)


def fill_python(text: str, path: Path) -> str:
    """Python source with its variables of the path replaced; special characters are escaped."""
    return _fill(text, path, lambda name: re.sub(
        r'[^\w\-./ ]', lambda match: f'\\U{ord(match[0]):08x}', name))


def fill_json(text: str, path: Path) -> str:
    """JSON with its variables of the path replaced; special characters are escaped."""
    return _fill(text, path, lambda name: json.dumps(name)[1:-1])


class Marks:
    """Unique words in the place of variables, until the data are parsed.

    How a value would have to be escaped depends on the format and the quotes around it.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # word -> part of the path of the file
        self.bases: dict[str, str] = {}  # word -> code of a value of the bases

    def mark_path(self, text: str, path: Path) -> str:
        """A text with words for the variables of the path."""
        return _fill(text, path, lambda name: _remember(self.names, name))

    def mark_bases(self, text: str, suffix: str) -> str:
        """A text in JSON or YAML with words for the values of the bases.

        In JSON, that which stands outside of quotes becomes a string.
        """
        if suffix != '.json':
            return PLACE.sub(lambda match: _remember(self.bases, match[1]), text)

        def mark(match: re.Match) -> str:
            if match[1] is not None:
                return f'"{_remember(self.bases, match[1])}"'
            return PLACE.sub(
                lambda inner: _remember(self.bases, _json_text(inner[1])), match[0])

        return _JSON_PARTS.sub(mark, text)


def put_in(tree: Any, words: dict[str, str], value_of: Callable[[str], Any] = str) -> Any:
    """A copy of the tree with `value_of` what each word stands for in its place.

    A string that is nothing but a word becomes the value, in others its text is inserted.
    """
    if not words:
        return tree
    if isinstance(tree, dict):
        return {_put_in_text(key, words, value_of): put_in(entry, words, value_of)
                for key, entry in tree.items()}
    if isinstance(tree, list):
        return [put_in(entry, words, value_of) for entry in tree]
    return value_of(words[tree]) if isinstance(tree, str) and tree in words else _put_in_text(
        tree, words, value_of)


def _put_in_text(text: Any, words: dict[str, str], value_of: Callable[[str], Any]) -> Any:
    if not isinstance(text, str):
        return text
    return re.sub('|'.join(words), lambda match: text_of(
        value_of(words[match[0]]), f'{{{{{words[match[0]]}}}}}'), text)


def _json_text(escaped: str) -> str:
    """The text of a part of a JSON string."""
    try:
        return json.loads(f'"{escaped}"', strict=False)
    except ValueError:  # which the parser will report with its place
        return escaped


def _remember(words: dict[str, str], meaning: str) -> str:
    word = f'name{uuid.uuid4().hex}'
    words[word] = meaning
    return word


def _fill(text: str, path: Path, escape: Callable[[str], str]) -> str:
    values = {'fileDirname': path.parent.as_posix(), 'fileBasename': path.name,
              'fileBasenameNoExtension': path.stem, 'fileExtname': path.suffix}
    return re.sub(r'\{\{\s*(' + '|'.join(values) + r')\s*\}\}',
                  lambda match: escape(values[match[1]]), text)
