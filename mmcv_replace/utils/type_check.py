"""Tell from the annotations of a component which of the values in a config it cannot mean.

Only plain values are judged: None, bool, int, float, str, and dicts, lists and tuples; what stands
in a config as an object is its author's affair. An annotation that is no class, nor a union,
sequence, tuple or mapping, fits everything.
"""
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from .config.values import SCALARS

# Packages whose annotations are taken at their word. One that keeps to them appends its own.
ANNOTATED = ['mmcv_replace', 'torch']

_SEQUENCES = (list, Sequence, Collection, Iterable)
_MAPPINGS = (dict, Mapping)
_NUMBERS = {int: Integral, float: Real}


def is_annotated(component: Callable[..., Any]) -> bool:
    """Whether `component` is of a package that annotates what it takes."""
    return str(getattr(component, '__module__', '')).partition('.')[0] in ANNOTATED


def misfits(component: Callable[..., Any], args: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each name in `args` whose value does not fit its annotation, and what would fit."""
    known = annotations_of(component)
    for name, value in args.items():
        if name in known and not fits(value, known[name]):
            yield name, in_words(known[name])


def annotations_of(component: Callable[..., Any]) -> dict[str, Any]:
    """Annotation of each argument; also of base classes to which **kwargs are passed on."""
    found: dict[str, Any] = {}
    for function in constructors(component) if inspect.isclass(component) else [component]:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):  # of C
            break
        for parameter in parameters:
            if parameter.annotation is not parameter.empty:
                found.setdefault(parameter.name, parameter.annotation)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def constructors(component: type) -> Iterator[Callable[..., None]]:
    """`__init__` of the class and of its bases, those that are defined there."""
    for base in component.__mro__[:-1]:
        if '__init__' in vars(base):
            yield vars(base)['__init__']


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value is what the annotation says, as far as both are plain."""
    if not isinstance(value, (*SCALARS, list, tuple, dict)) or annotation is Any:
        return True
    if annotation is None or annotation is type(None):
        return value is None
    if annotation is str:
        return isinstance(value, str)
    if annotation is bool:
        return value is True or value is False or type(value) is int and value in (0, 1)
    if annotation in _NUMBERS:
        return (isinstance(value, _NUMBERS[annotation]) and not isinstance(value, bool)
                and value == value)  # not NaN
    kind, inner = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if kind in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in inner)
    if kind in _MAPPINGS:
        return isinstance(value, dict)
    if kind in _SEQUENCES:
        return isinstance(value, (list, tuple)) and all(
            fits(item, choice) for item in value for choice in inner)
    if kind is tuple:
        return isinstance(value, (list, tuple)) and _fits_tuple(value, inner)
    try:
        return not inspect.isclass(kind) or isinstance(value, kind)
    except TypeError:  # a protocol
        return True


def _fits_tuple(value: Sequence[Any], inner: tuple[Any, ...]) -> bool:
    if not inner:
        return True
    if inner[-1] is Ellipsis:
        return all(fits(item, inner[0]) for item in value)
    return len(value) == len(inner) and all(map(fits, value, inner))


def in_words(annotation: Any) -> str:
    """An annotation as it is written: without the modules of its names."""
    text = annotation.__name__ if inspect.isclass(annotation) and not typing.get_args(
        annotation) else str(annotation)
    return re.sub(r'\b(?:\w+\.)+(?=\w)', '', text)
