"""Read the Python text of a saved config without executing it."""
import ast
from typing import Any

from ..errors import ConfigError
from .literal import literal_value
from .syntax import parse_python


def read_literal_config(text: str, source: str) -> dict[str, Any]:
    """Names and values in a text made by `format_config`.

    It consists of statements `name = value` with literals and `dict(...)`. Raises ConfigError with
    `source` and the line for anything else; nothing is executed.
    """
    try:
        statements = parse_python(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f'{source} is no saved config: {error}') from error
    values: dict[str, Any] = {}
    for statement in statements:
        try:
            values.update(_assigned(statement))
        except (ValueError, TypeError, RecursionError) as error:
            raise ConfigError(
                f'{source}, line {statement.lineno}: {ast.get_source_segment(text, statement)!r} '
                'is not a name with a plain value; a saved config is not executed') from error
    return values


def _assigned(statement: ast.stmt) -> dict[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return {name: literal_value(value)}
        # format_config saves keys that are no Python names in this form.
        case ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name('globals'), [], []), 'update'),
                               [ast.Dict() as entries], [])):
            return literal_value(entries)
    raise ValueError(statement)
