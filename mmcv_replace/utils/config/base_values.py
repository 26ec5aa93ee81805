"""Values of the inherited files inside a config: `{{ _base_.a.b }}`, also in texts."""
import ast
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import ConfigError, ConfigKeyError, ConfigTypeError
from ..suggest import did_you_mean, short
from .config_dict import ConfigDict, MissingKeyError, unwrap, wrap
from .explain import find_value
from .syntax import parse_python

BASE_KEY = '_base_'
PLACE = re.compile(r'\{\{([^{}]*\b_base_\.[^{}]*)\}\}')
_PATH = re.compile(r'_base_((?:\.\w+)+)')
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.USub: operator.neg, ast.UAdd: operator.pos}


class BaseValues:
    """What the files of `_base_` define, for the code of a Python config: `_base_.model.type`.

    `load` reads these files. The values are copies: a config does not change its bases.
    """

    def __init__(self, load: Callable[[], ConfigDict]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        cfg = self._load()
        if name not in cfg:
            raise MissingKeyError(f'the files of {BASE_KEY} have no key {name!r}'
                                  f'{did_you_mean(name, cfg)} (their keys: '
                                  f'{", ".join(map(str, cfg)) or "none"})')
        return wrap(unwrap(cfg[name]))


def fill_text(text: str, cfg: ConfigDict) -> Any:
    """A text with the values of the bases put into it; one that is nothing else is the value."""
    whole = PLACE.fullmatch(text)
    return base_value(whole[1], cfg) if whole else PLACE.sub(
        lambda match: text_of(base_value(match[1], cfg), match[0]), text)


def text_of(value: Any, place: str) -> str:
    """The text of a value inside a longer one; raises ConfigTypeError for a list or dict."""
    if isinstance(value, (dict, list, tuple)):
        raise ConfigTypeError(f'{place} is {short(value)}, which cannot be a part of a text: let '
                              'it stand alone')
    return str(value)


def base_value(code: str, cfg: ConfigDict) -> Any:
    """The value of `_base_.a.b`, or of arithmetic with such values, without running code.

    The steps of a path that is alone may be indices: `_base_.stages.0.width`. Raises ConfigError.
    """
    path = _PATH.fullmatch(code.strip())
    if path:
        return unwrap(find_value(cfg, path[1][1:])[0])
    try:
        return unwrap(_evaluate(parse_python(code.strip(), mode='eval').body, cfg))
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError,
            LookupError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f'{{{{{code}}}}} cannot be computed: {error}') from error


def _evaluate(node: ast.expr, cfg: ConfigDict) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.Attribute(ast.Name('_base_'), name):
            return find_value(cfg, name)[0]
        case ast.Attribute(inner, name):
            return _item(_evaluate(inner, cfg), name)
        case ast.Subscript(inner, index):
            return _item(_evaluate(inner, cfg), _evaluate(index, cfg))
        case ast.BinOp(left, kind, right) if type(kind) in _OPERATORS:
            return _OPERATORS[type(kind)](*map(_number, _values(cfg, left, right)))
        case ast.UnaryOp(kind, inner) if type(kind) in _OPERATORS:
            return _OPERATORS[type(kind)](_number(_evaluate(inner, cfg)))
    raise ConfigError(f'{ast.unparse(node)} is neither a value of {BASE_KEY} nor arithmetic with '
                      'such values')


def _values(cfg: ConfigDict, *nodes: ast.expr) -> Iterator[Any]:
    for node in nodes:
        yield _evaluate(node, cfg)


def _item(container: Any, key: Any) -> Any:
    if isinstance(container, dict) and key not in container:
        raise ConfigKeyError(f'{short(container)} has no key {key!r}{did_you_mean(key, container)}')
    return container[key]


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise ConfigTypeError(f'{short(value)} is no number, and arithmetic is done with numbers')
    return value
