"""Time-out of a process group on devices that have time limits of their own."""
import datetime
import logging
import math
import os

from ..device import DeviceKind
from ..utils.errors import ConfigError

# In seconds:
_LEAST = 68  # a device may round a shorter limit up to this
_STEP = 30  # between two limits, of which the first that expires reports the problem
_DEFAULT = 1800  # torch's default, which a plug-in interprets as "not set"


def group_timeout(kind: DeviceKind | None, timeout: datetime.timedelta | None,
                  ) -> datetime.timedelta | None:
    """Time-out of a process group on a kind of device, for a configured `timeout`.

    Sets the environment variables with the device's own limits, unless the user has, to `timeout`
    and a little more each. The group waits longer than all of them, since otherwise their more
    exact message would be lost. None for the defaults, which fit together. Raises ConfigError for
    a variable that is not a number.
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
        if limits[name] == 0:  # no limit
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
