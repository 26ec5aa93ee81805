"""Files that hold a training batch and the state that met it, for `tools/replay_batch.py`."""
import copy
from pathlib import Path
from typing import Any

import torch

from ...parallel import DevicePrefetcher, is_module_wrapper, scatter
from ...utils.errors import CheckpointError
from ..base_runner import BaseRunner
from ..iter_loader import IterLoader, position_in_data
from .files import read_checkpoint, write_checkpoint

KIND = 'training batch to replay'
CONTENT = {'facts', 'batch', 'config', 'state_dict', 'random_state'}
Place = tuple[int, int]


def place_of_batch(runner: BaseRunner) -> Place | None:
    """(pass, samples of all processes before it) of the batch under way; None where unknown."""
    loader = runner.data_loader
    if not isinstance(loader, IterLoader):
        return position_in_data(loader, runner.epoch, runner.inner_iter)
    one = position_in_data(loader.loader, 0, 1)
    return one and (loader.position[0], loader.position[1] - one[1])


def load_again(runner: BaseRunner, place: Place) -> Any:
    """The batch at a place of the training data, from the files: samples depend on it alone."""
    loader = runner.data_loader
    loader = loader.loader if isinstance(loader, IterLoader) else loader
    ahead = loader if isinstance(loader, DevicePrefetcher) else None
    # Workers go on with what they are at; this batch is loaded here.
    alone = copy.copy(loader if ahead is None else ahead.loader)
    alone.num_workers, alone._iterator = 0, None
    if ahead is not None:
        alone = DevicePrefetcher(alone, ahead.device, ahead.transform)
    return next(IterLoader(alone, *place))


def write_replay(runner: BaseRunner, path: Path, batch: Any, facts: dict[str, Any],
                 random_state: torch.Tensor | None) -> None:
    """Save the batch, the model as it is, the config and `facts` (iteration, rank, losses, ...).

    `exact` in the facts: the model is the one that met the batch. Weights that are not finite
    explain nothing and are left out. CheckpointError where the file cannot be written.
    """
    model = runner.model.module if is_module_wrapper(runner.model) else runner.model
    state = model.state_dict()
    if runner.precision.masters is not None:
        runner.precision.masters.write_to(state)
    sound = all(bool(torch.isfinite(value).all()) for value in state.values())
    write_checkpoint({
        'kind': KIND,
        'facts': facts,
        'batch': scatter(batch, 'cpu'),
        'config': runner.meta.get('config'),
        'state_dict': state if sound else None,
        'random_state': random_state,
    }, path)


def read_replay(path: str | Path) -> dict[str, Any]:
    """Load such a file; CheckpointError for any other."""
    content = read_checkpoint(path)
    if content.get('kind') != KIND or not content.keys() >= CONTENT:
        raise CheckpointError(f'{path} holds no {KIND}: give a file nonfinite_iter_N_rank_R.pth, '
                              'which a training writes that meets numbers that are not finite')
    return content
