"""Write a config as Python source that loads back to an equal config."""
import keyword
import math
import textwrap
from typing import Any

WIDTH = 100
_INDENT = 4
_ENDLESS = -10**9  # a column so far left that every line fits
_USED_NAMES = ('dict', 'float', 'globals')  # names that the text itself uses


def format_config(cfg: dict[str, Any]) -> str:
    """Python source with a `key = value` statement for each key of a config of plain values."""
    statements, others = [], {}
    for key, value in cfg.items():
        if _is_name(key) and key not in _USED_NAMES:
            statements.append(f'{key} = {_format(value, 0, len(key) + 3)}')
        else:
            others[key] = value
    if others:  # keys that are no Python names, or that the text itself uses
        statements.append(f'globals().update({_format_braces(others, 0, 17)})')
    return ''.join(f'{statement}\n' for statement in statements)


def _format(value: Any, indent: int, used: int) -> str:
    """Source of a value whose first line starts at column `used`."""
    if isinstance(value, dict):
        if all(isinstance(key, str) and _is_name(key) for key in value):
            items = [(f'{key}=', entry) for key, entry in value.items()]
            return _format_items('dict(', ')', items, indent, used)
        return _format_braces(value, indent, used)
    if isinstance(value, (list, range)):
        return _format_items('[', ']', [('', entry) for entry in value], indent, used)
    if isinstance(value, tuple):
        closing = ',)' if len(value) == 1 else ')'
        return _format_items('(', closing, [('', entry) for entry in value], indent, used)
    return _format_scalar(value)


def _format_braces(value: dict, indent: int, used: int) -> str:
    items = [(f'{_format(key, 0, _ENDLESS)}: ', entry) for key, entry in value.items()]
    return _format_items('{', '}', items, indent, used)


def _format_items(opening: str, closing: str, items: list[tuple[str, Any]], indent: int,
                  used: int) -> str:
    """Labelled values on one line if they fit, else on a line each; numbers are wrapped."""
    flat = [label + _format(entry, 0, _ENDLESS) for label, entry in items]
    line = opening + ', '.join(flat) + closing
    if used + len(line) < WIDTH or not items:  # a comma may follow
        return line
    inner = indent + _INDENT
    if all(not label and isinstance(entry, (int, float)) for label, entry in items):
        rows = textwrap.wrap(', '.join(flat), WIDTH - inner, break_on_hyphens=False,
                             break_long_words=False)
    else:
        rows = [text if inner + len(text) < WIDTH
                else label + _format(entry, inner, inner + len(label))
                for (label, entry), text in zip(items, flat, strict=True)]
    body = ''.join(f'\n{" " * inner}{row.rstrip(",")},' for row in rows)
    return f'{opening}{body}\n{" " * indent}{closing.lstrip(",")}'


def _format_scalar(value: float | str | None) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        # Two braces would be read as a variable such as {{ fileDirname }}.
        return str.__repr__(value).replace('{{', '{\\x7b')
    if isinstance(value, int):
        return int.__repr__(value)
    assert isinstance(value, float), value
    text = float.__repr__(value)
    return text if math.isfinite(value) else f"float('{text}')"


def _is_name(key: str) -> bool:
    # Python normalises names that are not ASCII, so these are written as strings.
    return key.isascii() and key.isidentifier() and not keyword.iskeyword(key)
