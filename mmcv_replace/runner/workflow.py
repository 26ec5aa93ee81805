"""The order of training and validation in a run."""
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
