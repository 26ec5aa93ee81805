"""Priorities of hooks, which order them within a stage of the run."""
from enum import Enum

from ..utils.errors import ConfigError, ConfigKeyError, ConfigTypeError


class Priority(Enum):
    """Named priorities; smaller numbers run earlier."""

    HIGHEST = 0
    VERY_HIGH = 10
    HIGH = 30
    ABOVE_NORMAL = 40
    NORMAL = 50
    BELOW_NORMAL = 60
    LOW = 70
    VERY_LOW = 90
    LOWEST = 100


def get_priority(priority: int | str | Priority) -> int:
    """The number (0 to 100) of a priority; ConfigError for anything that is not one."""
    if isinstance(priority, Priority):
        return priority.value
    if isinstance(priority, int) and 0 <= priority <= 100:
        return priority
    if isinstance(priority, str) and priority.upper() in Priority.__members__:
        return Priority[priority.upper()].value
    names = ', '.join(Priority.__members__)
    error = (ConfigError if isinstance(priority, int) else
             ConfigKeyError if isinstance(priority, str) else ConfigTypeError)
    raise error(f'a hook priority is a whole number from 0 to 100 or one of {names}, '
                f'not {priority!r}')
