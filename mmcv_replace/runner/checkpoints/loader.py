"""Loads checkpoints from places of several kinds, told apart by the beginning of their names.

Each function here is the loader of some beginnings; `map_location` is torch.load's, None for the
memory of the host.
"""
import logging
import re
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...fileio import FileClient
from ...utils.errors import CheckpointError, ConfigError, RegistryError, UserError
from .files import MapLocation, read_checkpoint
from .pretrained import KNOWN_PLACES, resolve_checkpoint

Loader = Callable[[str, MapLocation], Any]


class CheckpointLoader:
    """Chooses the loader of a file by the beginning of its name; users can add theirs."""

    _schemes: dict[str, Loader] = {}

    @classmethod
    def register_scheme(cls, prefixes: str | Sequence[str], loader: Loader | None = None,
                        force: bool = False) -> Loader | Callable[[Loader], Loader]:
        """Load files whose names begin by one of the `prefixes`, regular expressions, by `loader`.

        Without `loader` the result is a decorator of it. A loader is called with the name and the
        `map_location`, and returns a checkpoint; of several that fit, the longest prefix decides.
        Raises RegistryError for a prefix that is taken, unless `force` replaces its loader.
        """
        if loader is None:
            return lambda function: cls.register_scheme(prefixes, function, force)
        for prefix in [prefixes] if isinstance(prefixes, str) else prefixes:
            if prefix in cls._schemes and not force:
                raise RegistryError(f'checkpoints with the prefix {prefix!r} are loaded by '
                                    f'{cls._schemes[prefix].__name__} already; replace it with '
                                    'force=True')
            cls._schemes[prefix] = loader
        return loader

    @classmethod
    def _get_checkpoint_loader(cls, path: str) -> Loader:
        fitting = [prefix for prefix in cls._schemes if re.match(prefix, path)]
        return cls._schemes[max(fitting, key=len)]

    @classmethod
    def load_checkpoint(cls, filename: str | Path, map_location: MapLocation = None,
                        logger: logging.Logger | None = None) -> Any:
        """What the loader of the file returns: a checkpoint as it was saved."""
        if logger is not None:
            logger.info('load checkpoint from %s', filename)
        name = str(filename)
        return cls._get_checkpoint_loader(name)(name, map_location)


@CheckpointLoader.register_scheme('')
def load_from_local(filename: str, map_location: MapLocation = None) -> dict[str, Any]:
    """Load a file of this machine, or by a backend of FileClient such as gs://bucket/file."""
    scheme = re.match(r'([a-z][a-z0-9+.-]*)://', filename)
    if scheme and scheme[1] not in (*KNOWN_PLACES, 'file'):
        return _load_from_client(filename, map_location)
    return read_checkpoint(resolve_checkpoint(filename), map_location)


@CheckpointLoader.register_scheme(['http://', 'https://'])
def load_from_http(filename: str, map_location: MapLocation = None,
                   model_dir: str | Path | None = None) -> dict[str, Any]:
    """Download a file once, to `model_dir` (by default torch's cache), and load it."""
    return read_checkpoint(resolve_checkpoint(filename, model_dir), map_location)


@CheckpointLoader.register_scheme(['modelzoo://', 'torchvision://'])
def load_from_torchvision(filename: str, map_location: MapLocation = None) -> dict[str, Any]:
    """Load weights of torchvision by their name, such as torchvision://resnet50."""
    if filename.startswith('modelzoo://'):
        warnings.warn('modelzoo:// is deprecated: write torchvision://', stacklevel=2)
    return load_from_local(filename, map_location)


@CheckpointLoader.register_scheme(['open-mmlab://', 'openmmlab://'])
def load_from_openmmlab(filename: str, map_location: MapLocation = None) -> dict[str, Any]:
    """Load weights of OpenMMLab by their name, such as open-mmlab://resnet50_v1c."""
    return load_from_local(filename, map_location)


@CheckpointLoader.register_scheme('mmcls://')
def load_from_mmcls(filename: str, map_location: MapLocation = None) -> dict[str, Any]:
    """Load the backbone of a classifier of mmclassification by its name, mmcls://resnet50."""
    return _process_mmcls_checkpoint(load_from_local(filename, map_location))


def _process_mmcls_checkpoint(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The backbone's weights, without that part of their names."""
    weights = checkpoint.get('state_dict', checkpoint)
    return {'state_dict': OrderedDict(
        (key.removeprefix('backbone.'), value) for key, value in weights.items()
        if key.startswith('backbone.'))}


@CheckpointLoader.register_scheme(r'(\S+:)?s3://')
def load_from_ceph(filename: str, map_location: MapLocation = None,
                   backend: str | None = None) -> dict[str, Any]:
    """Load a file of an object store, by the named backend of FileClient or the one of s3://."""
    return _load_from_client(filename, map_location, backend and {'backend': backend})


def _load_from_client(filename: str, map_location: MapLocation,
                      file_client_args: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        content = FileClient.infer_client(file_client_args, filename).get(filename)
    except (UserError, OSError) as error:
        known = ', '.join(f'{place}://' for place in KNOWN_PLACES)
        raise CheckpointError(f'cannot read {filename!r}: {error} (names of weights and addresses '
                              f'begin with {known}; anything else is a path)') from error
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, Path(filename).name)
        file.write_bytes(content)
        return read_checkpoint(file, map_location)


@CheckpointLoader.register_scheme('pavi://')
def load_from_pavi(filename: str, map_location: MapLocation = None) -> dict[str, Any]:
    """Load a file of the model cloud of Pavi, whose package must be installed."""
    if not filename.startswith('pavi://'):
        raise ConfigError(f'the name of a file in Pavi begins with pavi://, not {filename!r}')
    try:
        from pavi import modelcloud
    except ImportError as error:
        raise CheckpointError(f'{filename} cannot be loaded: the package pavi is not installed; '
                              'download the file and give its path') from error
    model = modelcloud.get(filename.removeprefix('pavi://'))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, model.name)
        model.download(file)
        return read_checkpoint(file, map_location)


def load_url(url: str, model_dir: str | Path | None = None, map_location: MapLocation = None,
             progress: bool = True, check_hash: bool = False, file_name: str | None = None,
             ) -> dict[str, Any]:
    """Download a file once and load it, as torch.hub.load_state_dict_from_url does.

    `model_dir`: by default torch's cache. `file_name`: of the file there, by default that in the
    address. The log tells of the download instead of `progress`, and a hash in the name is checked
    whatever `check_hash` is.
    """
    return read_checkpoint(resolve_checkpoint(url, model_dir, file_name), map_location)
