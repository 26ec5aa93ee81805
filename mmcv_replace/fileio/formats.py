"""Read and write structured data in JSON, YAML and pickle files."""
import json
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import IO, Any

from ..utils.errors import ConfigError, DataError
from .atomic import atomic_write
from .file_client import decode_text, read_bytes

_SUFFIXES = {'json': 'json', 'yaml': 'yaml', 'yml': 'yaml', 'pkl': 'pickle', 'pickle': 'pickle'}


def load(file: str | Path | IO, file_format: str | None = None, trusted: bool = False) -> Any:
    """Read a JSON, YAML or pickle file; the suffix of its name gives the format by default.

    A pickle may run any code when it is read: DataError unless `trusted`.
    """
    file_format = _find_format(file, file_format)
    if file_format == 'pickle' and not trusted:
        raise DataError(f'{_name(file)} is a pickle, and reading a pickle can run any code: pass '
                        'trusted=True if you made the file yourself')
    content = read_bytes(file) if isinstance(file, (str, Path)) else file.read()
    if file_format == 'pickle':
        return pickle.loads(content)
    text = decode_text(content, _name(file)) if isinstance(content, bytes) else content
    return load_text(text, file_format, _name(file))


def load_text(text: str, file_format: str, name: str = 'the text',
              unique_keys: bool = False) -> Any:
    """Parse a JSON or YAML text; `name` is its source in error messages.

    Of a key that a mapping has twice the last value counts; with `unique_keys` it is a DataError.
    """
    file_format = _find_format(name, file_format)
    if file_format == 'pickle':
        raise ConfigError(f'{name}: a pickle is not a text')
    try:
        if file_format == 'json':
            return json.loads(text, object_pairs_hook=_unique_dict if unique_keys else None)
        import yaml
        return yaml.load(text, _yaml_loader(unique_keys))
    except RecursionError as error:
        raise DataError(f'{name}: the data are nested too deeply') from error
    except ValueError as error:
        raise DataError(f'{name} is not valid {file_format}: {error}') from error
    except Exception as error:
        # yaml is imported only where it is used, so its error class cannot be named above.
        if not type(error).__module__.startswith('yaml'):
            raise
        raise DataError(f'{name} is not valid yaml: {error}') from error


def dump(obj: Any, file: str | Path | IO | None = None, file_format: str | None = None,
         **kwargs: Any) -> str | bytes | None:
    """Write JSON, YAML or pickle to a file; without `file` return the text or bytes.

    A file is replaced in one step. `kwargs` are passed to the library of the format.
    """
    if file is None and file_format is None:
        raise ConfigError('dump needs a file, or the file_format of the text to return')
    content = _encode(obj, _find_format(file, file_format), kwargs)
    if file is None:
        return content
    if isinstance(file, (str, Path)):
        with atomic_write(file) as stream:
            stream.write(content if isinstance(content, bytes) else content.encode('utf-8'))
    else:
        file.write(content)
    return None


def _encode(obj: Any, file_format: str, options: dict[str, Any]) -> str | bytes:
    if file_format == 'pickle':
        return pickle.dumps(obj, **options)
    if file_format == 'json':
        return json.dumps(obj, **{'default': _to_json, **options})
    import yaml
    return yaml.safe_dump(obj, **{'sort_keys': False, 'allow_unicode': True, **options})


def _to_json(value: Any) -> Any:
    """Convert NumPy scalars and arrays, sets, ranges and paths to types of JSON."""
    if hasattr(value, 'tolist'):
        return value.tolist()
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f'{type(value).__name__} cannot be written as JSON: {value!r}')


def _unique_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(key for key, _ in pairs)
    if len(counts) < len(pairs):
        raise ValueError(f'the key {counts.most_common(1)[0][0]!r} is there twice')
    return dict(pairs)


def _yaml_loader(unique_keys: bool) -> type:
    """YAML's safe loader, which also reads 1e-3 as a number, as other formats do."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Raises ComposerError for a key that is there twice, with `unique_keys`."""

        def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
            # Not when the mapping is constructed, since it has the keys of `<<` then too.
            node = super().compose_mapping_node(anchor)
            seen = set()
            for key, _ in node.value if unique_keys else ():
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                    raise yaml.composer.ComposerError(
                        None, None, f'the key {key.value!r} is there twice', key.start_mark)
                seen.add((key.tag, str(key.value)))
            return node

    Loader.add_implicit_resolver('tag:yaml.org,2002:float',
                                 re.compile(r'^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$'),
                                 list('-+.0123456789'))
    return Loader


def _find_format(file: str | Path | IO | None, file_format: str | None) -> str:
    if file_format is None:
        file_format = Path(_name(file)).suffix
    key = file_format.lower().lstrip('.')
    if key not in _SUFFIXES:
        raise ConfigError(f'cannot tell the format of {_name(file)} from {file_format!r}: the '
                          f'known ones are {", ".join(_SUFFIXES)}')
    return _SUFFIXES[key]


def _name(file: str | Path | IO | None) -> str:
    return str(file) if isinstance(file, (str, Path)) else str(getattr(file, 'name', 'the data'))
