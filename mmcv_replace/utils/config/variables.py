"""`{{ fileDirname }}` and the other variables for parts of the path of a config file."""
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def fill_python(text: str, path: Path) -> str:
    """Python source with its variables replaced; special characters are escaped."""
    return _fill(text, path, lambda name: re.sub(
        r'[^\w\-./ ]', lambda match: f'\\U{ord(match[0]):08x}', name))


def fill_json(text: str, path: Path) -> str:
    """JSON with its variables replaced; special characters are escaped."""
    return _fill(text, path, lambda name: json.dumps(name)[1:-1])


def mark_yaml(text: str, path: Path) -> tuple[str, dict[str, str]]:
    """YAML with its variables replaced by unique words, and the names that `put_in` inserts later.

    How a name would have to be escaped in YAML depends on the quotes around it.
    """
    names: dict[str, str] = {}

    def mark(name: str) -> str:
        word = f'name{uuid.uuid4().hex}'
        names[word] = name
        return word

    return _fill(text, path, mark), names


def put_in(tree: Any, names: dict[str, str]) -> Any:
    """A copy of the tree with the words replaced by the names."""
    if not names:
        return tree
    if isinstance(tree, dict):
        return {put_in(key, names): put_in(entry, names) for key, entry in tree.items()}
    if isinstance(tree, list):
        return [put_in(entry, names) for entry in tree]
    if isinstance(tree, str):
        return re.sub('|'.join(names), lambda match: names[match[0]], tree)
    return tree


def _fill(text: str, path: Path, escape: Callable[[str], str]) -> str:
    values = {'fileDirname': path.parent.as_posix(), 'fileBasename': path.name,
              'fileBasenameNoExtension': path.stem, 'fileExtname': path.suffix}
    return re.sub(r'\{\{\s*(' + '|'.join(values) + r')\s*\}\}',
                  lambda match: escape(values[match[1]]), text)
