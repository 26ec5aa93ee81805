"""Read and write structured data in JSON, YAML, pickles, and formats that users register."""
import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ..utils.errors import ConfigError, ConfigTypeError
from .file_client import FileClient
from .handlers.base import BaseFileHandler, name_of
from .handlers.json_handler import JsonHandler, parse_json
from .handlers.pickle_handler import PickleHandler
from .handlers.yaml_handler import YamlHandler, parse_yaml

file_handlers: dict[str, BaseFileHandler] = {
    'json': JsonHandler(), 'yaml': YamlHandler(), 'yml': YamlHandler(), 'pkl': PickleHandler(),
    'pickle': PickleHandler()}


def load(file: str | Path | IO, file_format: str | None = None,
         file_client_args: dict[str, Any] | None = None, trusted: bool = False,
         **kwargs: Any) -> Any:
    """Read a JSON, YAML or pickle file; the suffix of its name gives the format by default.

    `file_client_args` choose the place (see `FileClient`), by default the prefix of the name;
    `kwargs` are passed to the handler of the format. A pickle may run any code when it is read:
    DataError unless `trusted`.
    """
    handler = _find_handler(file, file_format)
    if isinstance(handler, PickleHandler):
        kwargs['trusted'] = trusted
    if hasattr(file, 'read'):
        return handler.load_from_fileobj(file, **kwargs)
    client = FileClient.infer_client(file_client_args, file)
    stream = (io.StringIO(client.get_text(file)) if handler.str_like
              else io.BytesIO(client.get(file)))
    stream.name = str(file)
    return handler.load_from_fileobj(stream, **kwargs)


def load_text(text: str, file_format: str, name: str = 'the text',
              unique_keys: bool = False) -> Any:
    """Parse a JSON or YAML text; `name` is its source in error messages.

    Of a key that a mapping has twice the last value counts; with `unique_keys` it is a DataError.
    """
    handler = _find_handler(name, file_format)
    parse = {JsonHandler: parse_json, YamlHandler: parse_yaml}.get(type(handler))
    if parse is None:
        raise ConfigError(f'{name}: a {file_format.replace("pkl", "pickle")} is not a text of JSON '
                          'or YAML')
    return parse(text, name, unique_keys)


def dump(obj: Any, file: str | Path | IO | None = None, file_format: str | None = None,
         file_client_args: dict[str, Any] | None = None, **kwargs: Any) -> str | bytes | None:
    """Write JSON, YAML or pickle to a file; without `file` return the text or bytes.

    `file_client_args` choose the place (see `FileClient`), by default the prefix of the name. A
    file on the disk is replaced in one step. `kwargs` are passed to the handler of the format.
    """
    if file is None and file_format is None:
        raise ConfigError('dump needs a file, or the file_format of the text to return')
    handler = _find_handler(file, file_format)
    if file is None:
        return handler.dump_to_str(obj, **kwargs)
    if hasattr(file, 'write'):
        handler.dump_to_fileobj(obj, file, **kwargs)
        return None
    client = FileClient.infer_client(file_client_args, file)
    stream = io.StringIO() if handler.str_like else io.BytesIO()
    handler.dump_to_fileobj(obj, stream, **kwargs)
    put = client.put_text if handler.str_like else client.put
    put(stream.getvalue(), file)
    return None


def register_handler(file_formats: str | list[str], **kwargs: Any) -> Callable[[type], type]:
    """Class decorator: `load` and `dump` use the handler for files with these suffixes.

    `kwargs` are the arguments of its class.
    """
    formats = [file_formats] if isinstance(file_formats, str) else file_formats
    if not isinstance(formats, list) or not all(isinstance(name, str) for name in formats):
        raise ConfigTypeError(f'file_formats is a suffix or a list of them, not {file_formats!r}')

    def enter(handler: type[BaseFileHandler]) -> type[BaseFileHandler]:
        if not isinstance(handler, type) or not issubclass(handler, BaseFileHandler):
            raise ConfigTypeError(f'{handler!r} is no subclass of BaseFileHandler')
        file_handlers.update({name: handler(**kwargs) for name in formats})
        return handler

    return enter


def _find_handler(file: str | Path | IO | None, file_format: str | None) -> BaseFileHandler:
    name = str(file) if isinstance(file, str | Path) else name_of(file)
    if file_format is None:
        file_format = Path(name).suffix
    key = file_format.lower().lstrip('.')
    if file is not None and not isinstance(file, str | Path) and not (
            hasattr(file, 'read') or hasattr(file, 'write')):
        raise ConfigTypeError(f'a file is a name, a pathlib.Path or an open file, not {file!r}')
    if key not in file_handlers:
        raise ConfigTypeError(f'cannot tell the format of {name} from {file_format!r}: the known '
                              f'ones are {", ".join(file_handlers)}')
    return file_handlers[key]
