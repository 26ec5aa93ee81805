"""YAML, by its safe loader."""
import re
from typing import IO, TYPE_CHECKING, Any

from .base import BaseFileHandler, name_of, parsing, read_text

if TYPE_CHECKING:
    import yaml


class YamlHandler(BaseFileHandler):
    """YAML without objects of Python, except tuples, which mmcv wrote."""

    def load_from_fileobj(self, file: IO, **kwargs: Any) -> Any:
        """The data in an open file; `kwargs` are those of `yaml.load`, such as Loader."""
        return parse_yaml(read_text(file), name_of(file), **kwargs)

    def dump_to_fileobj(self, obj: Any, file: IO, **kwargs: Any) -> None:
        """Write data to an open file; `kwargs` are those of `yaml.dump`."""
        file.write(self.dump_to_str(obj, **kwargs))

    def dump_to_str(self, obj: Any, **kwargs: Any) -> str:
        """The data as YAML; `kwargs` are those of `yaml.dump`."""
        import yaml
        defaults = {'Dumper': yaml.SafeDumper, 'sort_keys': False, 'allow_unicode': True}
        return yaml.dump(obj, **{**defaults, **kwargs})


def parse_yaml(text: str, name: str, unique_keys: bool = False, **options: Any) -> Any:
    """The data in a text; DataError for a text that is no YAML.

    Of a key that a mapping has twice the last value counts; with `unique_keys` it is a DataError.
    """
    import yaml
    with parsing(name, 'yaml'):
        try:
            return yaml.load(text, **{'Loader': _loader(unique_keys), **options})
        except yaml.YAMLError as error:
            raise ValueError(error) from error


def _loader(unique_keys: bool) -> type:
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
    Loader.add_constructor('tag:yaml.org,2002:python/tuple', _tuple)
    return Loader


def _tuple(loader: 'yaml.SafeLoader', node: 'yaml.SequenceNode') -> tuple:
    return tuple(loader.construct_sequence(node, deep=True))
