"""Parse values and key=value pairs of the command line as literals, without evaluating code."""
import argparse
import re
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigError
from ..suggest import short
from .literal import LiteralError, read_literal

_WORDS = {'true': True, 'false': False, 'none': None}
_INT = re.compile(r'[+-]?[0-9]+')
_FLOAT = re.compile(r'[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|nan)', re.IGNORECASE)
_QUOTED = re.compile(r'''(['"])(?:\\.|(?!\1).)*\1''', re.DOTALL)
# The beginning of `dict(...)` with a name, literal or `)` inside; not that of a regex `dict(.*)`.
_DICT = re.compile(r'dict\s*\((?=\s*([\w)*\'"(\[{]|$))')
# What may follow the closing bracket in a file name such as `dict(1).jpg`.
_GOES_ON = re.compile(r'[\w./\\-]')
_CLOSING = {'(': ')', '[': ']', '{': '}'}
_MAX_DEPTH = 50


def parse_option_value(text: str, whole: str | None = None, depth: int = 0) -> Any:
    """Parse the value of an option, which may be a part of the value `whole`.

    Accepts numbers, True/False/None in any case, quoted strings, `{...}` and `dict(...)` as in
    Python, `[a,b]` and `a,b` as lists, and `(a,b)` as a tuple, nested; any other text is a str.
    Raises ConfigError for an unpaired bracket, and for a dict that is not a literal.
    """
    whole = text if whole is None else whole
    if depth > _MAX_DEPTH:
        raise ConfigError(f'option value {short(whole)} is nested more than {_MAX_DEPTH} deep')
    text = text.strip()
    opening, is_dict = text[:1] in _CLOSING, _begins_dict(text)
    parts = _split_at_commas(text)
    if parts is None:
        if is_dict:
            return _parse_dict(text, whole)  # raises the error
        if opening:
            raise ConfigError(f'option value {short(whole)}: a bracket or quote is not closed '
                              "(quote the whole option for the shell: 'key=(1,2)')")
        return text
    if len(parts) > 1:
        return _parse_parts(parts, whole, depth)
    if is_dict or text[:1] == '{' and text.endswith('}'):
        return _parse_dict(text, whole)
    if opening and text.endswith(_CLOSING[text[0]]):
        return _parse_bracket(text, whole, depth)
    return _parse_word(text)


def _begins_dict(text: str, start: int = 0) -> bool:
    """Whether a `dict(...)` begins at `start`, as opposed to a name such as `dict(1).jpg`."""
    found = _DICT.match(text, start)
    if found is None:
        return False
    end = _end_of_call(text, found.end())
    return end is None or not _GOES_ON.match(text, end)


def _end_of_call(text: str, position: int) -> int | None:
    """Position behind the bracket that closes the one before `position`; None without one."""
    depth = 1
    while position < len(text):
        quoted = _QUOTED.match(text, position)
        if quoted:
            position = quoted.end()
            continue
        depth += (text[position] in _CLOSING) - (text[position] in _CLOSING.values())
        position += 1
        if depth == 0:
            return position
    return None


def _parse_dict(text: str, whole: str) -> Any:
    try:
        return read_literal(text)
    except LiteralError as error:
        place = '' if text == whole.strip() else f' in {short(text)}'
        raise ConfigError(f"option value {short(whole)}: {error}{place}; a dict is written as in "
                          "Python, with quotes around its strings: {'type': 'SGD', 'lr': 0.1} or "
                          "dict(type='SGD', lr=0.1)") from error


def _parse_bracket(text: str, whole: str, depth: int) -> Any:
    inner = text[1:-1]
    parts = _split_at_commas(inner)
    if parts is None:  # '(a)(b)': the last bracket does not close the first
        return text
    items = _parse_parts(parts, whole, depth)
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
            value = read_literal(text)
            return value if isinstance(value, str) else text
    except ValueError:
        pass  # too long for an int, or text that only begins with a quote
    return text


def _split_at_commas(text: str) -> list[str] | None:
    """Split at the commas outside brackets and quotes; None if brackets or quotes are unpaired."""
    parts, start, position, open_brackets, before = [], 0, 0, [], ','
    while position < len(text):
        char = text[position]
        if char in '\'"' and before in '([{,:':  # elsewhere it is an apostrophe
            quoted = _QUOTED.match(text, position)
            if quoted is None:
                return None
            position = quoted.end() - 1
        elif before in '([{,:' and _begins_dict(text, position):
            end = _end_of_call(text, _DICT.match(text, position).end())
            if end is None:
                return None
            position, char = end - 1, ')'
        elif char in _CLOSING:
            open_brackets.append(_CLOSING[char])
        elif char in _CLOSING.values():
            if not open_brackets or open_brackets.pop() != char:
                return None
        elif char == ',' and not open_brackets:
            parts.append(text[start:position])
            start = position + 1
        before = before if char.isspace() else char
        position += 1
    return None if open_brackets else [*parts, text[start:]]


def _parse_parts(parts: list[str], whole: str, depth: int) -> list[Any]:
    """The values of parts, but for an empty last one: behind a comma, or inside empty brackets."""
    return [parse_option_value(part, whole, depth + 1)
            for part in (parts if parts[-1].strip() else parts[:-1])]


class DictAction(argparse.Action):
    """argparse action for `--options key=value other.key=(1,2) ...`: a dict of parsed values.

    Keys remain dotted, for `Config.merge_from_dict`. A repeated option adds to the earlier one.
    Raises ConfigError, which passes through argparse as in mmcv.
    """

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: str | Sequence[Any] | None, option_string: str | None = None) -> None:
        options = dict(getattr(namespace, self.dest) or {})
        for pair in [values] if isinstance(values, str) else values:
            key, equals, text = pair.partition('=')
            if not equals or not key.strip():
                raise ConfigError(f'{option_string}: {pair!r} is not of the form key=value')
            try:
                options[key.strip()] = self._parse_iterable(text)
            except ConfigError as error:
                raise ConfigError(f'{option_string}: {key}: {error}') from error
        setattr(namespace, self.dest, options)

    # Scripts call these two of mmcv.
    _parse_iterable = staticmethod(parse_option_value)
    _parse_int_float_bool = staticmethod(_parse_word)
