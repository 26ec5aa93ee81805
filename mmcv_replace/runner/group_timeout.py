"""How long processes wait for each other, where the device has time limits of its own too."""
import datetime
import logging
import math
import os

from ..device import DeviceKind
from ..utils.errors import ConfigError

# A device may round its limit up to as much: then it is this long at least.
_LEAST = 68
# Seconds from one limit to the next. The first one to pass is the one that says what happened.
_STEP = 30
# torch's own limit of a group, which a plug-in takes for none.
_DEFAULT = 1800


def group_timeout(
    kind: DeviceKind | None, timeout: datetime.timedelta | None
) -> datetime.timedelta | None:
    """Time limit of a process group on a kind of device, for a user who sets `timeout`.

    The device's own limits, variables of the environment, are set to `timeout` and a little more
    each, unless the user has set them; the group waits longer than all of them, or their message
    would be lost. None for the defaults, which fit each other.
    """
    names = () if kind is None else kind.time_limits
    limits = {name: _seconds(name) for name in names if os.environ.get(name)}
    if not names or timeout is None and names[0] not in limits:
        return timeout
    asked = math.ceil(timeout.total_seconds()) if timeout is not None else limits[names[0]]
    if limits.get(names[0], asked) > asked:
        logging.getLogger('mmseg').warning(
            'dist_params.timeout=%d is less than the variable %s=%d, so processes wait that long',
            asked, names[0], limits[names[0]])
    longest = 0
    for name in names:
        if name not in limits:
            limits[name] = max(asked, longest + _STEP if longest else 0)
            os.environ[name] = str(limits[name])
        if limits[name] == 0:  # wait without end
            return timeout
        longest = max(longest, limits[name], _LEAST)
    seconds = max(asked, longest) + _STEP
    return datetime.timedelta(seconds=seconds + (seconds == _DEFAULT))


def _seconds(name: str) -> int:
    text = os.environ[name].strip()
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f'the variable {name}={text!r} is not a whole number of seconds: correct '
                          'or unset it')
    return int(text)
