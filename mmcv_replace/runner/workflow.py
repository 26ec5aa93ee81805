"""The order of training and validation in a run, and its end."""
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..utils.errors import ConfigError, ConfigTypeError

if TYPE_CHECKING:
    from .base_runner import BaseRunner


Workflow = Sequence[tuple[str, int]]  # (mode, how many units) for each data loader


def check_workflow(data_loaders: Sequence[Any], workflow: Workflow,
                   runner: 'BaseRunner | None' = None) -> None:
    """Raise ConfigError unless `workflow` is [(mode, count), ...] with an entry for each loader.

    A mode is 'train', 'val', or another method of `runner`.
    """
    if not isinstance(data_loaders, list | tuple):
        raise ConfigError('a runner takes a list of data loaders, one for each entry of the '
                          f'workflow, not {type(data_loaders).__name__}')
    for flow in workflow:
        valid = (isinstance(flow, (list, tuple)) and len(flow) == 2
                 and isinstance(flow[1], int) and flow[1] > 0)
        named = valid and isinstance(flow[0], str)
        if not named or flow[0] not in ('train', 'val') and not callable(
                getattr(runner, flow[0], None)):
            error = ConfigTypeError if valid and not named else ConfigError
            raise error("workflow is a list such as [('train', 10), ('val', 1)], of 'train' or "
                        f"'val' and a number above 0; {flow!r} is not")
    if all(mode != 'train' for mode, _ in workflow):
        raise ConfigError(f"workflow={list(workflow)!r} never trains: add ('train', 1)")
    if len(data_loaders) != len(workflow):
        raise ConfigError(f'workflow={list(workflow)!r} needs {len(workflow)} data loaders, one '
                          f'for each entry; there are {len(data_loaders)}')


def warn_if_finished(runner: 'BaseRunner') -> None:
    """Warn if the resumed checkpoint is that of the end of the run."""
    done, total, key = ((runner.epoch, runner.max_epochs, 'max_epochs') if runner.counts_by_epoch
                        else (runner.iter, runner.max_iters, 'max_iters'))
    if total is not None and 0 < done >= total:
        runner.logger.warning('the run is finished: it has done %d of %d %s, nothing is left to '
                              'train. Raise runner.%s to train longer', done, total,
                              'epochs' if runner.counts_by_epoch else 'iterations', key)


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
