"""Small helpers of the runners."""
import os
import socket
import time
from types import ModuleType
from typing import Any


def get_host_info() -> str:
    """Process id and host name, as 'pid@host'."""
    return f'{os.getpid()}@{socket.gethostname()}'


def get_time_str() -> str:
    """The local time in a form that suits file names."""
    return time.strftime('%Y%m%d_%H%M%S', time.localtime())


def obj_from_dict(info: dict[str, Any], parent: ModuleType | None = None,
                  default_args: dict[str, Any] | None = None) -> Any:
    """Call `info['type']`, a class or its name in the module `parent`, with the other items."""
    args = {**(default_args or {}), **info}
    kind = args.pop('type')
    if isinstance(kind, str):
        kind = getattr(parent, kind)
    return kind(**args)
