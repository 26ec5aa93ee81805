"""How a run ends before its length is reached."""
from pathlib import Path
from typing import TYPE_CHECKING

from .dist_utils import from_first_rank

if TYPE_CHECKING:
    from .base_runner import BaseRunner


class Stopping:
    """The part of a runner that ends a run early."""

    stopped: str | None = None  # the reason; None while the run goes on

    def stop(self: 'BaseRunner', reason: str) -> None:
        """End the run after this iteration or epoch, as if it were the last; saves a checkpoint.

        Every process has to call it, in a stage after that in which checkpoints are saved. A
        validation that follows in the workflow still takes place.
        """
        self.stopped = reason
        self.logger.info('the training stops after %s: %s', self.place_in_words(), reason)
        self.call_hook('before_stop')

    def place_in_words(self: 'BaseRunner') -> str:
        """How far the run is, such as 'iteration 2000' or 'epoch 3'."""
        within_epoch = self.finished_iters > self.iter
        if self.counts_by_epoch and not within_epoch:
            return f'epoch {self.next_epoch}'
        return f'iteration {self.finished_iters}'


def save_iteration(runner: 'BaseRunner') -> Path | None:
    """Write iter_N.pth of now, in the middle of an epoch too; None where there is no folder for it.

    Every process has to call it, and gets the path when the file is written.
    """
    saved = None
    if runner.rank == 0 and runner.checkpoint_dir is not None:
        file = runner.free_path(Path(runner.checkpoint_dir, f'iter_{runner.finished_iters}.pth'))
        saved = runner.save_checkpoint(file.parent, file.name)
    # The others wait, since launchers end the whole job once one process has exited.
    return from_first_rank(saved)
