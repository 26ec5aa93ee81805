"""What decides the result of loading steps, apart from the files that they read."""
import hashlib
import inspect
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import cv2

from mmcv_replace.fileio.plain_values import encode
from mmcv_replace.utils.errors import ConfigError
from mmseg.version import __version__

from ..pipelines.base import Step
from ..pipelines.loading import FileLoader

# To be raised where the built-in steps come to make other values of the same files.
FORMAT = 1
# Other versions of these packages may decode to other pixels.
DECODERS = ('opencv-python-headless', 'opencv-python', 'opencv-contrib-python',
            'opencv-contrib-python-headless', 'pillow', 'simplejpeg', 'pywuffs', 'tifffile',
            'imagecodecs')
# State of the steps that is no setting.
STATE = ('file_client', 'sources')
OURS = ('mmseg', 'mmcv_replace', 'builtins')


def digest(content: bytes | memoryview) -> str:
    """A hash of a content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def recipe_of(steps: Sequence[Step]) -> list[Any]:
    """The steps with their settings, the code of those of users, and the versions of decoders.

    Raises ConfigError for a step whose files cannot be watched, and for settings or code that
    cannot be told apart.
    """
    for step in steps:
        _check_files(step)
    described = [[_name(type(step)), _settings(step), _codes(type(step))] for step in steps]
    return [FORMAT, __version__, _decoders(), described]


def _check_files(step: Step) -> None:
    name = type(step).__name__
    if not isinstance(step, FileLoader):
        raise ConfigError("data.cache.level='disk' watches the files that a step reads, and "
                          f'{name} reads them by itself: derive it from FileLoader (mmseg/datasets/'
                          "pipelines/loading.py) and use its read(), or choose level='decoded'")
    client = step.client
    if not client.has_stamps:
        raise ConfigError(f"data.cache.level='disk' needs to know when a file of {name} "
                          f'was changed, which {client.name} does not tell: copy the files to a '
                          "disk, or choose level='decoded'")


def _settings(step: Step) -> Any:
    settings = {name: value for name, value in vars(step).items() if name not in STATE}
    try:
        return encode(settings)
    except TypeError as error:
        raise ConfigError(f"data.cache.level='disk' cannot tell two {type(step).__name__} apart "
                          f'({error}): keep its settings as plain values, or choose '
                          "level='decoded'") from error


def _codes(kind: type) -> list[str]:
    """Hashes of the code of classes of users, whose steps may change from run to run."""
    own = [base for base in kind.__mro__ if base.__module__.partition('.')[0] not in OURS]
    try:
        return [digest(inspect.getsource(base).encode()) for base in own]
    except (OSError, TypeError) as error:
        raise ConfigError(f"data.cache.level='disk' cannot tell whether {_name(kind)} has changed, "
                          f'for its code is in no file ({error}): write it into a module, or '
                          "choose level='decoded'") from error


def _name(kind: type) -> str:
    return f'{kind.__module__}.{kind.__qualname__}'


@lru_cache(1)
def _decoders() -> dict[str, str]:
    found = {'cv2': cv2.__version__}  # of builds that are no package, too, such as a system's own
    for name in DECODERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
