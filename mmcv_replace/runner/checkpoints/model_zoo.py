"""Names of published weights and their addresses, by tables that a user can extend.

`$MMCV_HOME` (by default $XDG_CACHE_HOME/mmcv, ~/.cache/mmcv) may hold tables of the same names as
those in mmcv_replace/model_zoo: open_mmlab.json, mmcls.json, torchvision.json. Their entries come
first; an address that is no URL is a file in that folder. So weights come from a mirror, or from a
disk where there is no network.
"""
import json
import os
import sys
import warnings
from pathlib import Path

from ...utils.errors import CheckpointError, UnknownWeightsError
from ...utils.suggest import did_you_mean

ENV_MMCV_HOME = 'MMCV_HOME'
ENV_XDG_CACHE_HOME = 'XDG_CACHE_HOME'
DEFAULT_CACHE_DIR = '~/.cache'
# Scheme of a name, as in open-mmlab://resnet50_v1c -> its table.
SCHEMES = {'open-mmlab': 'open_mmlab', 'openmmlab': 'open_mmlab', 'torchvision': 'torchvision',
           'modelzoo': 'torchvision', 'mmcls': 'mmcls'}
SHOWN = 10  # names in a message; the rest is counted


def find_address(scheme: str, name: str) -> str:
    """URL or path of published weights; UnknownWeightsError for a name that no table has."""
    if SCHEMES[scheme] == 'open_mmlab':
        new_name = get_deprecated_model_names().get(name)
        if new_name is not None:
            warnings.warn(f'{scheme}://{name} is now called {scheme}://{new_name}', stacklevel=2)
            name = new_name
    models = _table(SCHEMES[scheme])
    if name not in models:
        more = f' and {len(models) - SHOWN} more' if len(models) > SHOWN else ''
        raise UnknownWeightsError(
            f'{scheme}:// knows no {name!r}{did_you_mean(name, models)}; it knows '
            f'{", ".join(list(models)[:SHOWN])}{more}; other weights can be given by their path or '
            f'URL, or added to {_get_mmcv_home()}/{SCHEMES[scheme]}.json')
    address = models[name]
    return address if '://' in address else os.path.join(_get_mmcv_home(), address)


def get_external_models() -> dict[str, str]:
    """Address of each name of open-mmlab://."""
    return _table('open_mmlab')


def get_mmcls_models() -> dict[str, str]:
    """Address of each name of mmcls://."""
    return _table('mmcls')


def get_torchvision_models() -> dict[str, str]:
    """Address of each name of torchvision:// (modelzoo://)."""
    return _table('torchvision')


def get_deprecated_model_names() -> dict[str, str]:
    """Former names of open-mmlab://, and what they are called now."""
    return _read(_own_folder() / 'deprecated.json')


def _get_mmcv_home() -> str:
    cache = os.environ.get(ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR)
    return os.path.expanduser(os.environ.get(ENV_MMCV_HOME, os.path.join(cache, 'mmcv')))


def _own_folder() -> Path:
    package = sys.modules[__name__.partition('.')[0]]
    return Path(package.__path__[0], 'model_zoo')


def _table(name: str) -> dict[str, str]:
    file = Path(_get_mmcv_home(), f'{name}.json')
    of_user = _read(file) if file.is_file() else {}
    return {**_read(_own_folder() / f'{name}.json'), **of_user}


def _read(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise CheckpointError(f'the table of weights {file} cannot be read: {error}') from error
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise CheckpointError(f'the table of weights {file} must be a JSON object of names and '
                              'their addresses')
    return content
