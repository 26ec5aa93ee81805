"""The momentum of an optimizer group, whatever the optimizer calls it."""
from typing import Any

from ...utils.errors import ConfigError


def read_momentum(group: dict[str, Any]) -> float:
    """Momentum of an optimizer group, or the first beta; ConfigError if it has neither."""
    if 'momentum' in group:
        return group['momentum']
    if 'betas' in group:
        return group['betas'][0]
    raise ConfigError("momentum_config needs an optimizer with 'momentum' or 'betas'; this one has "
                      f'{", ".join(key for key in group if key != "params")}')


def write_momentum(group: dict[str, Any], value: float) -> None:
    """Set what `read_momentum` reads."""
    if 'momentum' in group:
        group['momentum'] = value
    else:
        group['betas'] = (value, *group['betas'][1:])


def momentum_or_zero(group: dict[str, Any]) -> float:
    """`read_momentum`, and 0 for a group that has none."""
    return read_momentum(group) if 'momentum' in group or 'betas' in group else 0
