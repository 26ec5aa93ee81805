"""Check the arguments of a component against its signature, so that errors name a typo."""
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ArgumentError
from ..suggest import did_you_mean, short
from .type_check import is_annotated, misfits, parameters_along

_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_BAD_CALL = re.compile(r'(\w+)\.__init__\(\) (got an unexpected|got multiple values for|missing) '
                       r".*?arguments?:? ('.+)")


def check_arguments(label: str, component: Callable[..., Any], args: dict[str, Any],
                    origin: Callable[[str], str | None] = lambda key: None) -> None:
    """Raise ArgumentError for an argument that `component` does not take, or one that is missing.

    `label` names the component in the message; `origin` gives the file or option that set a key.
    A component with **kwargs may use any name: see `explain_type_error`.
    """
    own = _parameters(component)
    if own is None:
        return
    names = parameters_of(component)
    unknown = [key for key in args if key not in names]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in own):
        raise _unknown_error(label, unknown, names, origin)
    missing = [p.name for p in own
               if p.kind in _BY_KEYWORD and p.default is p.empty and p.name not in args]
    if missing:
        raise _missing_error(label, missing)


def parameters_of(component: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the arguments that `component` accepts by keyword."""
    return tuple(p.name for p in _parameters(component) or () if p.kind in _BY_KEYWORD)


def check_values(label: str, component: Callable[..., Any], args: dict[str, Any],
                 origin: Callable[[str], str | None]) -> None:
    """Raise ArgumentError for a value whose type does not match the component's annotation."""
    if not is_annotated(component):
        return
    lines = [f'{label}: {key}={short(args[key])}{_set_by(key, origin)} does not fit, it takes '
             f'{wanted}' for key, wanted in misfits(component, args)]
    if lines:
        raise ArgumentError('\n'.join(lines))


def explain_type_error(error: TypeError, label: str, component: Callable[..., Any],
                       args: dict[str, Any], origin: Callable[[str], str | None],
                       ) -> ArgumentError | None:
    """The ArgumentError for a call that failed in a base class to which **kwargs were passed on.

    None when the error has another reason. This is found out by the call and not before, because
    a component may use up names that its base class does not know.
    """
    bases = {base.__name__ for base in getattr(component, '__mro__', ())}
    found = _BAD_CALL.search(str(error))
    if not found or found[1] not in bases:
        return None
    keys = re.findall(r"'(\w+)'", found[3])
    if found[2] == 'missing':
        return _missing_error(label, keys)
    if keys[0] not in args:
        return None
    if found[2] == 'got multiple values for':
        return ArgumentError(f'{label} sets {keys[0]!r} itself: leave it out of its dict in the '
                             f'config{_set_by(keys[0], origin)}')
    names = dict.fromkeys(p.name for _, p in parameters_along(component) if p.kind in _BY_KEYWORD)
    return _unknown_error(label, keys[:1], names, origin)


def _parameters(component: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """Parameters without self; None for a builtin without a signature."""
    try:
        return list(inspect.signature(component).parameters.values())
    except (TypeError, ValueError):
        return None


def _unknown_error(label: str, unknown: list[str], names: Iterable[str],
                   origin: Callable[[str], str | None]) -> ArgumentError:
    lines = [f'{label} does not take {key!r}{_set_by(key, origin)}{did_you_mean(key, names)}'
             for key in unknown]
    lines.append(f'It takes: {", ".join(names) or "no arguments"}')
    chosen = origin('type')
    if chosen and any(origin(key) not in (None, chosen) for key in unknown):
        lines.append(f'Its type is set by {chosen}: _delete_=True beside it drops the arguments of '
                     'the one before')
    return ArgumentError('\n'.join(lines))


def _set_by(key: str, origin: Callable[[str], str | None]) -> str:
    place = origin(key)
    return f' (set by {place})' if place else ''


def _missing_error(label: str, missing: list[str]) -> ArgumentError:
    return ArgumentError(f'{label} needs {", ".join(map(repr, missing))}: add it to its dict in '
                         'the config')
