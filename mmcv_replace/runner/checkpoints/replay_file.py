"""Files with a training batch and the model that failed on it, for `tools/replay_batch.py`."""
import copy
from pathlib import Path
from typing import Any

import torch

from ...parallel import DevicePrefetcher, scatter
from ...utils.errors import CheckpointError
from ..base_runner import BaseRunner
from ..iter_loader import IterLoader, position_in_data
from .files import read_checkpoint, write_checkpoint

KIND = 'training batch to replay'
CONTENT = {'facts', 'batch', 'config', 'state_dict', 'random_state'}
DataPosition = tuple[int, int]  # pass over the data, samples before the batch


def position_of_batch(runner: BaseRunner) -> DataPosition | None:
    """Where in the training data the current batch begins; None if the sampler cannot tell."""
    loader = runner.data_loader
    if not isinstance(loader, IterLoader):
        return position_in_data(loader, runner.epoch, runner.inner_iter)
    one = position_in_data(loader.loader, 0, 1)
    return one and (loader.position[0], loader.position[1] - one[1])


def load_again(runner: BaseRunner, position: DataPosition) -> Any:
    """The batch at a position, loaded from the files again: random draws depend on it alone."""
    loader = runner.data_loader
    loader = loader.loader if isinstance(loader, IterLoader) else loader
    ahead = loader if isinstance(loader, DevicePrefetcher) else None
    # The workers are not disturbed: this batch is loaded in this process.
    alone = copy.copy(loader if ahead is None else ahead.loader)
    alone.num_workers, alone._iterator = 0, None
    if ahead is not None:
        alone = DevicePrefetcher(alone, ahead.device, ahead.transform)
    return next(IterLoader(alone, *position))


def write_replay(runner: BaseRunner, path: Path, batch: Any, facts: dict[str, Any],
                 random_state: torch.Tensor | None) -> None:
    """Save the batch, the model's present state, the config and `facts` (iteration, losses, ...).

    `facts['exact']`: whether the model is still the one that processed the batch. Weights that are
    not finite explain nothing and are left out. CheckpointError if the file cannot be written.
    """
    state = runner.unwrapped_model.state_dict()
    if runner.precision.masters is not None:
        runner.precision.masters.write_to(state)
    sound = all(bool(torch.isfinite(value).all()) for value in state.values())
    write_checkpoint({
        'kind': KIND, 'facts': facts, 'batch': scatter(batch, 'cpu'),
        'config': runner.meta.get('config'), 'state_dict': state if sound else None,
        'random_state': random_state}, path)


def read_replay(path: str | Path) -> dict[str, Any]:
    """Load a file of `write_replay`; CheckpointError for any other."""
    content = read_checkpoint(path)
    if content.get('kind') != KIND or not content.keys() >= CONTENT:
        raise CheckpointError(f'{path} holds no {KIND}: give a file nonfinite_iter_N_rank_R.pth, '
                              'which a training writes that meets numbers that are not finite')
    return content
