"""What a run is told otherwise than the checkpoint that it goes on from, in one table."""
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TAKEN = 'config (taken)'
NOT_TAKEN = 'checkpoint (not taken)'
WIDTH = 44  # of a column; longer values go on in the next line


@dataclass(frozen=True)
class Difference:
    """One setting; `in_force` begins with whose value counts, TAKEN or NOT_TAKEN."""

    setting: str
    checkpoint: str
    config: str
    in_force: str
    override: str | None = None  # what takes the value of the config, where it is not taken


def tell_differences(checkpoint: str | Path, differences: Sequence[Difference],
                     logger: logging.Logger) -> None:
    """Log the table, with what to do about it; nothing where nothing differs."""
    if not differences:
        return
    from prettytable import PrettyTable  # late: most runs have nothing to tell
    table = PrettyTable(['setting', 'checkpoint', 'config', 'in force'], align='l',
                        max_width=WIDTH)
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
