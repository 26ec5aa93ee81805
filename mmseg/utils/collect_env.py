"""The environment report."""
from collections import OrderedDict

from mmcv_replace.utils import collect_env as collect_base_env
from mmcv_replace.utils import get_git_hash
from mmseg.version import __version__


def collect_env() -> OrderedDict:
    """Versions of the machine's software and of this package."""
    env = collect_base_env()
    env['MMSegmentation'] = f'{__version__}+{get_git_hash()[:7]}'
    return env
