"""The table of settings in which a resumed run differs from its checkpoint."""
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TAKEN = 'config (taken)'
NOT_TAKEN = 'checkpoint (not taken)'
WIDTH = 44  # characters of a column; longer values are wrapped


@dataclass(frozen=True)
class Difference:
    """One row: a setting, its two values, and which of them is used (TAKEN or NOT_TAKEN, ...)."""

    setting: str
    checkpoint: str
    config: str
    in_force: str
    override: str | None = None  # for --resume-override, to use the value of the config


def log_differences(checkpoint: str | Path, differences: Sequence[Difference],
                     logger: logging.Logger) -> None:
    """Log the table and what can be done; nothing if there are no differences."""
    if not differences:
        return
    from prettytable import PrettyTable  # late: most runs do not need it
    table = PrettyTable(['setting', 'checkpoint', 'config', 'in force'], align='l', max_width=WIDTH)
    table.add_rows([[each.setting, each.checkpoint, each.config, each.in_force]
                    for each in differences])
    keys = dict.fromkeys(each.override for each in differences if each.override)
    remedies = ['For a new run with this config, from the weights of the checkpoint: --load-from '
                f'{checkpoint}']
    if keys:
        remedies.insert(0, "To take the config's values on this run: --resume-override "
                        + ' '.join(keys))
    logger.warning('what differs between this run and the one which wrote %s:\n%s\n%s', checkpoint,
                   table, '\n'.join(remedies))
