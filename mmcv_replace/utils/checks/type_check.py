"""Check the values of a config against the annotations of the component that gets them.

Only plain values are checked: None, bool, int, float, str, and dicts, lists and tuples; any other
object is accepted. An annotation fits every value unless it is a class, a union, a `Literal`, a
sequence, a tuple, a mapping, or one of these `Annotated` with a `Range`.
"""
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Annotated, Any, Literal

from ..config.values import SCALARS

# Packages whose annotations are correct and therefore checked; other packages may append theirs.
ANNOTATED = ['mmcv_replace', 'torch']

_SEQUENCES = (list, Sequence, Collection, Iterable)
_MAPPINGS = (dict, Mapping)
_NUMBERS = {int: Integral, float: Real}


@dataclass(frozen=True)
class Range:
    """Limits of a number, inclusive unless it must lie `above`: `Annotated[int, Range(1, 10)]`."""

    least: float | None = None
    most: float | None = None
    above: float | None = None

    def holds(self, value: Any) -> bool:
        """Whether a value lies within the limits; a value that is no number does."""
        return not isinstance(value, Real) or (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above))

    def __str__(self) -> str:
        if self.above is not None:
            return f'above {self.above}' + ('' if self.most is None else f', up to {self.most}')
        if self.least is None:
            return f'up to {self.most}'
        return f'from {self.least} on' if self.most is None else f'from {self.least} to {self.most}'


def is_annotated(component: Callable[..., Any]) -> bool:
    """Whether the annotations of `component` are checked: its package is in ANNOTATED."""
    return str(getattr(component, '__module__', '')).partition('.')[0] in ANNOTATED


def misfits(component: Callable[..., Any], args: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names in `args` whose values do not fit their annotations, each with what would fit."""
    known = annotations_of(component)
    for name, value in args.items():
        if name in known and not fits(value, known[name]):
            yield name, in_words(known[name])


def annotations_of(component: Callable[..., Any]) -> dict[str, Any]:
    """Annotation of each argument, including those of base classes that get **kwargs."""
    found: dict[str, Any] = {}
    for _, parameter in parameters_along(component):
        if parameter.annotation is not parameter.empty:
            found.setdefault(parameter.name, parameter.annotation)
    return found


def parameters_along(component: Callable[..., Any],
                     ) -> Iterator[tuple[Callable[..., Any], inspect.Parameter]]:
    """Each parameter with the function that has it, also of base classes that get **kwargs."""
    is_class = inspect.isclass(component)
    for function in constructors(component) if is_class else [component]:
        try:
            parameters = list(inspect.signature(function).parameters.values())[is_class:]
        except (TypeError, ValueError):  # written in C
            return
        yield from ((function, parameter) for parameter in parameters)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return


def constructors(component: type) -> Iterator[Callable[..., None]]:
    """The `__init__` methods of a class and its bases, in the order of inheritance."""
    for base in component.__mro__[:-1]:
        if '__init__' in vars(base):
            yield vars(base)['__init__']


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value fits an annotation; True where either is of a kind that is not checked."""
    if not isinstance(value, (*SCALARS, list, tuple, dict)) or annotation is Any:
        return True
    if annotation is None or annotation is type(None):
        return value is None
    if annotation is bool:
        return value is True or value is False or type(value) is int and value in (0, 1)
    if annotation in _NUMBERS:
        return (isinstance(value, _NUMBERS[annotation]) and not isinstance(value, bool)
                and value == value)  # not NaN
    kind, inner = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if kind is Annotated:
        limits = (part for part in inner[1:] if isinstance(part, Range))
        return fits(value, inner[0]) and all(limit.holds(value) for limit in limits)
    if kind is Literal:
        return value in inner
    if kind in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in inner)
    if kind in _MAPPINGS:
        return isinstance(value, dict)
    if kind in _SEQUENCES:
        return isinstance(value, (list, tuple)) and all(
            fits(item, choice) for item in value for choice in inner)
    if kind is tuple:
        if not isinstance(value, (list, tuple)):
            return False
        if inner[-1:] == (Ellipsis,):
            return all(fits(item, inner[0]) for item in value)
        return not inner or len(value) == len(inner) and all(map(fits, value, inner))
    try:
        return not inspect.isclass(kind) or isinstance(value, kind)
    except TypeError:  # a protocol
        return True


def in_words(annotation: Any, limits: str = '') -> str:
    """An annotation as text: without module names, with the choices and `limits` of a value."""
    kind, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if kind is Annotated:
        return in_words(inner[0], ''.join(f' {part}' for part in inner[1:]
                                          if isinstance(part, Range)))
    if kind is Literal:
        return ' | '.join(map(repr, inner))
    if kind in (typing.Union, types.UnionType):
        return ' | '.join(in_words(choice, limits) for choice in inner)
    if annotation is type(None):
        return 'None'
    if inner and kind in (tuple, *_SEQUENCES) and Ellipsis not in inner:
        return f'{kind.__name__}[{", ".join(map(in_words, inner))}]'
    text = annotation.__name__ if inspect.isclass(annotation) and not inner else str(annotation)
    return re.sub(r'\b(?:\w+\.)+(?=\w)', '', text) + (limits if annotation in _NUMBERS else '')
