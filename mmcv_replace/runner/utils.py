"""Small helpers of the runners."""
import os
import socket
import time
from types import ModuleType
from typing import Any

from ..device import seed_everything
from ..utils.errors import ConfigKeyError, ConfigTypeError
from ..utils.rank import get_dist_info


def set_random_seed(seed: int, deterministic: bool = False, use_rank_shift: bool = False) -> None:
    """Seed the generators of Python, NumPy and torch.

    `deterministic`: choose repeatable kernels. `use_rank_shift`: add the rank of this process, for
    different numbers in each.
    """
    if use_rank_shift:
        seed += get_dist_info()[0]
    os.environ['PYTHONHASHSEED'] = str(seed)  # for processes that this one starts
    seed_everything(seed, deterministic)


def get_host_info() -> str:
    """Process id and host name, as 'pid@host'."""
    return f'{os.getpid()}@{socket.gethostname()}'


def get_time_str() -> str:
    """The local time in a form that suits file names."""
    return time.strftime('%Y%m%d_%H%M%S', time.localtime())


def obj_from_dict(info: dict[str, Any], parent: ModuleType | None = None,
                  default_args: dict[str, Any] | None = None) -> Any:
    """Call `info['type']`, a class or its name in the module `parent`, with the other items.

    `default_args` fill in what `info` leaves out.
    """
    if not isinstance(info, dict) or 'type' not in info:
        raise ConfigKeyError(f"an object is described by a dict with a 'type', not by {info!r}")
    if not isinstance(default_args, dict | None):
        raise ConfigTypeError(f'default_args is a dict, not {default_args!r}')
    args = {**(default_args or {}), **info}
    kind = args.pop('type')
    if isinstance(kind, str):
        if parent is None:
            raise ConfigKeyError(f'{kind!r} is the name of a class: give the module that has it as '
                                 '`parent`')
        kind = getattr(parent, kind)
    if not callable(kind):
        raise ConfigTypeError(f"the 'type' of an object is a class or its name, not {kind!r}")
    return kind(**args)
