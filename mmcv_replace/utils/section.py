"""Sections of a config: dicts of settings whose names, types and limits a dataclass declares.

    @dataclass(frozen=True)
    class CacheSettings(Section):
        SHORT = 'level'
        level: Annotated[Literal['decoded', 'resized'], 'what is kept of a sample']
        max_gb: Annotated[float, Range(above=0), 'memory of one process'] = 8.0

`read_section(CacheSettings, cfg.data.cache, 'data.cache')` checks the values and returns an object.
"""
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, ClassVar, TypeVar

from .config.config_dict import PROGRAM, ConfigDict
from .errors import ConfigError
from .misspelling import misspelt
from .suggest import short
from .type_check import Range, annotations_of, fits, in_words

__all__ = ['Keys', 'Range', 'Section', 'read_section', 'section_problems']


class Section:
    """Base of the dataclasses that declare a section.

    The annotation of a field is its type, or `Annotated[type, Range(...), 'description']`; a field
    of another Section is a section inside this one.
    """

    # The field that a value which is no dict sets: cache='decoded' is cache=dict(level='decoded').
    SHORT: ClassVar[str | None] = None

    @staticmethod
    def allows(value: object) -> bool:
        """Whether a key that is not a field may hold this value."""
        return False


@dataclass(frozen=True)
class Keys:
    """Metadata of a field that holds arguments of some other component: their names.

    Any other name is an error if `closed`, otherwise only one that resembles one of them. A dict
    with a `type` is checked when the component is built.
    """

    names: Sequence[str]
    closed: bool = True

    def allows(self, value: object) -> bool:
        """Whether a name that is not listed may have this value."""
        return not self.closed


S = TypeVar('S', bound=Section)


def read_section(section: type[S], value: Any, key: str) -> S | None:
    """Check the settings at the dotted `key` and return them as an object.

    None gives None. Where the section has no short form, False gives None and True an object of
    defaults. Raises ConfigError for an unknown name,
    a value of the wrong type or beyond its limits, and a missing setting that has no default.
    """
    accepted = section | None if section.SHORT else section | bool | None
    problems = list(_value_problems(accepted, value, key))
    if problems:
        raise ConfigError('\n'.join(problems))
    return _build(section, value, key)


def section_problems(section: type[Section], values: Mapping[str, Any], key: str) -> Iterator[str]:
    """One text for each setting that is wrong; `key` is that of the section, '' for a config."""
    annotations = annotations_of(section)
    yield from _name_problems(values, tuple(annotations), key, section.allows)
    for name, annotation in annotations.items():
        if name in values:
            yield from _value_problems(annotation, values[name], _join(key, name),
                                       _set_by(values, name))


def _value_problems(annotation: Any, value: Any, key: str, set_by: str = '') -> Iterator[str]:
    section, accepted = _section_in(annotation), _without_sections(annotation)
    metadata = getattr(annotation, '__metadata__', ())
    if not fits(value, accepted):
        hint = ''.join(f': {part}' for part in metadata if isinstance(part, str))
        if isinstance(value, str) and value.startswith('dict('):
            hint += f'; on a command line {key}="dict(NAME=VALUE)", without quotes of its own'
        yield f'{key}={short(value)}{set_by} does not fit, it takes {in_words(accepted)}{hint}'
    elif isinstance(value, Mapping):
        if section is not None:
            yield from section_problems(section, value, key)
        for part in metadata:
            if isinstance(part, Keys) and 'type' not in value:
                yield from _name_problems(value, part.names, key, part.allows)


def _name_problems(values: Mapping[str, Any], known: Sequence[str], key: str,
                   allows: Callable[[object], bool]) -> Iterator[str]:
    for name, value in values.items():
        meant = misspelt(str(name), known)
        text = f'{_join(key, name)}{_set_by(values, name)} is no setting'
        if meant is not None:
            yield f'{text} and would be ignored; did you mean {_join(key, meant)!r}?'
        elif name not in known and not allows(value):
            yield f'{text}: {key} takes {", ".join(known)}'


def _build(section: type[S], value: Any, key: str) -> S | None:
    if value is None or value is False:
        return None
    values = {} if value is True else value
    if not isinstance(values, Mapping):
        values = {section.SHORT: value}
    missing = [field.name for field in fields(section)
               if field.default is MISSING and field.name not in values]
    if missing:
        raise ConfigError(f'{key}={short(value)} lacks {", ".join(missing)}')
    annotations = annotations_of(section)
    return section(**{
        name: entry if inner is None else _build(inner, entry, _join(key, name))
        for name, entry in values.items() if name in annotations
        for inner in [_section_in(annotations[name])]})


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation is a union of, or the one that it is."""
    if typing.get_origin(annotation) is Annotated:
        annotation = annotation.__origin__
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if union else (annotation,)


def _section_in(annotation: Any) -> type[Section] | None:
    return next((choice for choice in _choices(annotation)
                 if inspect.isclass(choice) and issubclass(choice, Section)), None)


def _without_sections(annotation: Any) -> Any:
    """The annotation with what a section may be written as, such as `str | dict`, in its place."""
    section = _section_in(annotation)
    if section is None:
        return annotation
    written = [annotations_of(section)[section.SHORT], dict] if section.SHORT else [dict]
    return typing.Union[tuple(part for choice in _choices(annotation)  # noqa: UP007
                              for part in (written if choice is section else [choice]))]


def _join(key: str, name: object) -> str:
    return f'{key}.{name}' if key else str(name)


def _set_by(values: Mapping[str, Any], name: str) -> str:
    return f' (set by {values.origin(name) or PROGRAM})' if isinstance(values, ConfigDict) else ''
