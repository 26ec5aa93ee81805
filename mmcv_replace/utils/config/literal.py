"""Literals, `dict(...)` and `range(...)`, read from the syntax tree without evaluating code."""
import ast
import warnings
from collections.abc import Iterable
from typing import Any

from .syntax import parse_python

_MAX_DEPTH = 50
_MAX_RANGE = 10_000


class LiteralError(ValueError):
    """A text that is not a literal; the message names the reason and the position."""


def read_literal(text: str) -> Any:
    """The value of a text such as `dict(type='SGD', betas=(0.9, 0.999))` or `{'a': [1, -2]}`.

    Raises LiteralError with the character, counted from 1, at which it goes wrong.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # a backslash that escapes nothing
            node = parse_python(text, mode='eval').body
    except SyntaxError as error:
        place = _place(text, error.lineno or 1, (error.offset or 1) - 1)
        raise LiteralError(f'{error.msg}{place}') from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise LiteralError(str(error) or 'it is nested too deeply') from error
    try:
        return literal_value(node)
    except _NodeError as error:
        line, column = error.node.lineno, error.node.col_offset  # in bytes
        before = text.split('\n')[line - 1].encode()[:column].decode()
        raise LiteralError(f'{error.reason}{_place(text, line, len(before))}') from error


class _NodeError(LiteralError):
    """A node of the syntax tree that is not a literal, with the reason."""

    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


def literal_value(node: ast.expr, depth: int = 0) -> Any:
    """The value of a parsed literal; raises LiteralError for anything else."""
    if depth > _MAX_DEPTH:
        raise _NodeError(node, f'it is nested more than {_MAX_DEPTH} deep')

    def inner(part: ast.expr) -> Any:
        return literal_value(part, depth + 1)

    match node:
        case ast.Call(ast.Name('dict'), arguments, keywords):
            if arguments:
                raise _NodeError(arguments[0], 'dict(...) takes name=value alone')
            for word in keywords:
                if word.arg is None:
                    raise _NodeError(word.value, '** is not read')
            return _unique((word.arg, word.value, inner(word.value)) for word in keywords)
        case ast.Call(ast.Name('float'), [ast.Constant(str() as number)], []):
            try:
                return float(number)
            except ValueError as error:
                raise _NodeError(node, str(error)) from error
        case ast.Call(ast.Name('range'), limits, []):  # mmcv saves gpu_ids = range(0, 1)
            return _range(node, [inner(limit) for limit in limits])
        case ast.List(items):
            return [inner(item) for item in items]
        case ast.Tuple(items):
            return tuple(inner(item) for item in items)
        case ast.Dict(keys, items):
            for key, item in zip(keys, items, strict=True):
                if key is None:
                    raise _NodeError(item, '** is not read')
            return _unique((inner(key), key, inner(item))
                           for key, item in zip(keys, items, strict=True))
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise _NodeError(node, 'this is no literal, and nothing is run') from error


def _range(node: ast.AST, limits: list[Any]) -> list[int]:
    """The numbers of `range(*limits)`; raises _NodeError for what is none, and for a long one."""
    try:
        numbers = range(*limits)
    except (TypeError, ValueError) as error:
        raise _NodeError(node, str(error)) from error
    if numbers[_MAX_RANGE:]:
        raise _NodeError(node, f'the range has more than {_MAX_RANGE} numbers')
    return list(numbers)


def _unique(entries: Iterable[tuple[Any, ast.AST, Any]]) -> dict[Any, Any]:
    """A dict from (key, node, value) entries; raises _NodeError for a repeated key."""
    found: dict[Any, Any] = {}
    for key, node, value in entries:
        try:
            double = key in found
        except TypeError as error:
            raise _NodeError(node, 'this cannot be a key') from error
        if double:
            raise _NodeError(node, f'the key {key!r} is there twice')
        found[key] = value
    return found


def _place(text: str, line: int, column: int) -> str:
    """The character at a line (from 1) and a column (from 0), with the text that follows."""
    position = sum(len(entry) + 1 for entry in text.split('\n')[:line - 1]) + column
    rest = text[position:position + 20]
    return f' (character {position + 1}' + (f', at {rest!r})' if rest else ', the end)')
