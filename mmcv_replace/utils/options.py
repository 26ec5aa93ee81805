"""Values and key=value pairs of the command line. Literals only: nothing is ever evaluated."""
import argparse
import ast
import re
import warnings
from collections.abc import Sequence
from typing import Any

from .errors import ConfigError
from .suggest import short

_WORDS = {'true': True, 'false': False, 'none': None}
_INT = re.compile(r'[+-]?[0-9]+')
_FLOAT = re.compile(r'[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|nan)', re.IGNORECASE)
_QUOTED = re.compile(r'''(['"])(?:\\.|(?!\1).)*\1''', re.DOTALL)
_CLOSING = {'(': ')', '[': ']', '{': '}'}
_MAX_DEPTH = 50


def parse_option_value(text: str) -> Any:
    """Read the value of an option.

    Numbers, True/False/None in any case, quoted strings, dicts as in Python, `[a,b]` and `a,b`
    as lists, `(a,b)` as a tuple, all nested at will; anything else is a str. Raises ConfigError for
    a bracket without its partner.
    """
    return _parse(text, text, 0)


def _parse(text: str, whole: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ConfigError(f'option value {short(whole)} is nested more than {_MAX_DEPTH} deep')
    text = text.strip()
    opening = text[:1] in _CLOSING
    parts = _split_at_commas(text)
    if parts is None:
        if opening:
            raise ConfigError(f'option value {short(whole)}: a bracket or quote is not closed '
                              "(quote the whole option for the shell: 'key=(1,2)')")
        return text
    if len(parts) > 1:
        return [_parse(part, whole, depth + 1) for part in _without_last_empty(parts)]
    if opening and text.endswith(_CLOSING[text[0]]):
        return _parse_bracket(text, whole, depth)
    return _parse_word(text)


def _parse_bracket(text: str, whole: str, depth: int) -> Any:
    if text[0] == '{':
        try:
            return _literal(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
            raise ConfigError(f"option value {short(whole)}: a dict is written as in Python, "
                              "with quotes around its strings: {'type': 'SGD', 'lr': 0.1}"
                              ) from error
    inner = text[1:-1]
    parts = _split_at_commas(inner)
    if parts is None:  # '(a)(b)': the first bracket does not end with the last
        return text
    items = [_parse(part, whole, depth + 1) for part in _without_last_empty(parts)]
    return tuple(items) if text[0] == '(' else items


def _parse_word(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if text[:1] in ('"', "'"):
            value = _literal(text)
            return value if isinstance(value, str) else text
    except (ValueError, SyntaxError, MemoryError):
        pass  # too long for an int, or text that only begins like a quoted one
    return text


def _literal(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of a backslash that escapes nothing
        return ast.literal_eval(text)


def _split_at_commas(text: str) -> list[str] | None:
    """Split at the commas outside brackets and quotes; None when those do not pair."""
    parts, start, position, open_brackets, before = [], 0, 0, [], ','
    while position < len(text):
        char = text[position]
        if char in '\'"' and before in '([{,:':  # elsewhere it is an apostrophe
            quoted = _QUOTED.match(text, position)
            if quoted is None:
                return None
            position = quoted.end() - 1
        elif char in _CLOSING:
            open_brackets.append(_CLOSING[char])
        elif char in _CLOSING.values():
            if not open_brackets or open_brackets.pop() != char:
                return None
        elif char == ',' and not open_brackets:
            parts.append(text[start:position])
            start = position + 1
        before = before if char == ' ' else char
        position += 1
    return None if open_brackets else [*parts, text[start:]]


def _without_last_empty(parts: list[str]) -> list[str]:
    """Drop what follows a final comma, and the one empty part of an empty bracket."""
    return parts if parts[-1].strip() else parts[:-1]


class DictAction(argparse.Action):
    """argparse action for `--options key=value other.key=(1,2) ...`: a dict of parsed values.

    The keys stay dotted; `Config.merge_from_dict` takes them apart. A repeated option adds to the
    earlier one.
    """

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: str | Sequence[Any] | None, option_string: str | None = None) -> None:
        options = dict(getattr(namespace, self.dest) or {})
        for pair in [values] if isinstance(values, str) else values:
            key, equals, text = pair.partition('=')
            if not equals or not key.strip():
                raise argparse.ArgumentError(self, f'{pair!r} is not of the form key=value')
            try:
                options[key.strip()] = parse_option_value(text)
            except ConfigError as error:
                raise argparse.ArgumentError(self, f'{key}: {error}') from error
        setattr(namespace, self.dest, options)
