"""Read the text that a config was saved as, without running it."""
import ast
from typing import Any

from .errors import ConfigError


def read_literal_config(text: str, source: str) -> dict[str, Any]:
    """Names and values of a text made by `format_config`.

    It may hold statements `name = value`, of numbers, strings, lists, tuples, dicts, `dict(...)`.
    Anything else is a ConfigError that names `source` and the line: nothing of it is executed.
    """
    try:
        statements = ast.parse(text).body
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
            return {name: _value(value)}
        # How names that no statement can set are saved.
        case ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name('globals'), [], []), 'update'),
                               [ast.Dict() as entries], [])):
            return _value(entries)
    raise ValueError(statement)


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(ast.Name('dict'), [], keywords) if all(word.arg for word in keywords):
            return {word.arg: _value(word.value) for word in keywords}
        case ast.Call(ast.Name('float'), [ast.Constant(str() as number)], []):
            return float(number)
        case ast.List(items):
            return [_value(item) for item in items]
        case ast.Tuple(items):
            return tuple(_value(item) for item in items)
        case ast.Dict(keys, items):
            return {_value(key): _value(item) for key, item in zip(keys, items, strict=True)}
    return ast.literal_eval(node)
