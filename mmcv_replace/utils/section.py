"""Sections of a config: dicts of settings whose names, types and limits a dataclass declares.

    @dataclass(frozen=True)
    class CacheSettings(Section):
        SHORT = 'level'
        level: Annotated[Literal['decoded', 'resized'], 'what is kept of a sample']
        max_gb: Annotated[float, Range(above=0), 'memory of one process'] = 8.0

`read_section(CacheSettings, cfg.data.cache, 'data.cache')` checks the values and returns an object.
"""
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, TypeVar

from .checks.type_check import Range, annotations_of, fits, in_words
from .config.config_dict import PROGRAM, ConfigDict
from .errors import ConfigError
from .misspelling import misspelt
from .suggest import short

__all__ = ['Keys', 'Range', 'Section', 'read_section', 'section_problems']


class Section:
    """Base of the dataclasses that declare a section.

    The annotation of a field is its type, or `Annotated[type, ...]` with a Range, a description,
    and for a section inside this one its class: `Annotated[dict | None, CacheSettings]`.
    """

    # The field that a value which is no dict sets: cache='decoded' is cache=dict(level='decoded').
    SHORT: ClassVar[str | None] = None
    # Whether keys that are no fields are allowed; those that resemble one never are.
    OPEN: ClassVar[bool] = False

    @classmethod
    def allows(cls, value: object) -> bool:
        """Whether a key that is not a field may hold this value."""
        return cls.OPEN


@dataclass(frozen=True, eq=False)  # hashed by identity, as metadata must be
class Keys:
    """Metadata of a field that holds arguments of another component: their names and types.

    Any other name is an error if `closed`, otherwise only one that resembles one of them. A dict
    with a `type` is checked when the component is built.
    """

    annotations: Mapping[str, Any]
    closed: bool = True

    def allows(self, value: object) -> bool:
        """Whether a name that is not listed may have this value."""
        return not self.closed


S = TypeVar('S', bound=Section)


def read_section(section: type[S], value: Any, key: str) -> S | None:
    """Check the settings at the dotted `key` and return them as an object.

    None and False give None, True an object of defaults. Raises ConfigError for an unknown name,
    a value of the wrong type or beyond its limits, and a missing setting that has no default.
    """
    if value is None or value is False:
        return None
    problems = list(_problems_inside(section, value, key, ''))
    values = value if isinstance(value, Mapping) else {} if value is True else {
        section.SHORT: value}
    missing = [field.name for field in fields(section)
               if field.default is MISSING and field.name not in values]
    if missing:
        problems.append(f'{key}={short(value)} lacks {", ".join(missing)}')
    if problems:
        raise ConfigError('\n'.join(problems))
    inner = {name: _inner(annotation) for name, annotation in annotations_of(section).items()}
    return section(**{name: entry if inner[name] is None
                      else read_section(inner[name], entry, _join(key, name))
                      for name, entry in values.items() if name in inner})


def section_problems(section: type[Section], values: Mapping[str, Any], key: str) -> Iterator[str]:
    """One text for each setting that is wrong; `key` is that of the section, '' for a config."""
    yield from _problems(values, annotations_of(section), key, section)


def _value_problems(annotation: Any, value: Any, key: str, set_by: str) -> Iterator[str]:
    metadata, inner = getattr(annotation, '__metadata__', ()), _inner(annotation)
    if not fits(value, annotation):
        hint = ''.join(f': {part}' for part in metadata if isinstance(part, str))
        yield _misfit(key, value, set_by, in_words(annotation) + hint)
    elif inner is not None and value is not None:
        yield from _problems_inside(inner, value, key, set_by)
    elif isinstance(value, Mapping) and 'type' not in value:
        for part in metadata:
            if isinstance(part, Keys):
                yield from _problems(value, part.annotations, key, part)


def _problems_inside(section: type[Section], value: Any, key: str, set_by: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from section_problems(section, value, key)
    elif section.SHORT is not None:
        yield from _value_problems(annotations_of(section)[section.SHORT], value, key, set_by)
    elif not isinstance(value, bool):
        yield _misfit(key, value, set_by, 'dict')


def _problems(values: Mapping[str, Any], known: Mapping[str, Any], key: str,
              owner: type[Section] | Keys) -> Iterator[str]:
    for name, value in values.items():
        set_by = f' (set by {values.origin(name) or PROGRAM})' if isinstance(
            values, ConfigDict) else ''
        if name in known:
            yield from _value_problems(known[name], value, _join(key, name), set_by)
            continue
        meant = misspelt(str(name), known)
        text = f'{_join(key, name)}{set_by} is no setting'
        if meant is not None:
            yield f'{text} and would be ignored; did you mean {_join(key, meant)!r}?'
        elif not owner.allows(value):
            inside = [_join(key, other) for other, annotation in known.items()
                      if name in annotations_of(_inner(annotation) or Section)]
            hint = f'; it belongs in {" or ".join(inside)}' if inside else ''
            yield f'{text}: {key} takes {", ".join(known)}{hint}'


def _misfit(key: str, value: Any, set_by: str, accepted: str) -> str:
    hint = ''
    if isinstance(value, str) and value.startswith('dict('):
        hint = f'; on a command line {key}="dict(NAME=VALUE)", without quotes of its own'
    return f'{key}={short(value)}{set_by} does not fit, it takes {accepted}{hint}'


def _inner(annotation: Any) -> type[Section] | None:
    """The section in the metadata of an annotation."""
    return next((part for part in getattr(annotation, '__metadata__', ())
                 if isinstance(part, type) and issubclass(part, Section)), None)


def _join(key: str, name: object) -> str:
    return f'{key}.{name}' if key else str(name)
