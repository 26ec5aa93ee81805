"""What a resumed run needs besides weights and optimizer: position, random numbers, gradients."""
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist

from ...device import get_random_state, set_random_state
from ...utils.error_origin import is_out_of_memory
from ...utils.errors import CheckpointError
from ..dist_utils import get_dist_info, host_group
from .resume_table import TAKEN, Difference

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


def random_states(device: torch.device) -> dict[str, Any]:
    """State of the random generators of Python, NumPy, torch and `device`."""
    version, words, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state()
    return {
        'python': (version, torch.tensor(words), gauss),
        'numpy': (torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached),
        'torch': torch.get_rng_state(),
        'device': (device.type, get_random_state(device)),
    }


def restore_random_states(states: dict[str, Any], device: torch.device) -> None:
    """Set the generators to a result of `random_states`; that of another device is ignored."""
    version, words, gauss = states['python']
    random.setstate((version, tuple(words.tolist()), gauss))
    keys, position, has_gauss, cached = states['numpy']
    np.random.set_state(('MT19937', keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(states['torch'])
    kind, state = states['device']
    if state is not None and kind == device.type:
        set_random_state(device, state)


def gather_process_states(runner: 'BaseRunner') -> list[dict[str, Any]]:
    """The states that differ between processes in the first one, an empty list in the others.

    With gradients, between the steps that accumulate them. Every process has to call it.
    """
    own = {'random': random_states(runner.device)}
    if runner.accumulating:
        own['gradients'] = {name: parameter.grad.detach().cpu()
                            for name, parameter in runner.unwrapped_model.named_parameters()
                            if parameter.grad is not None}
    rank, world_size = get_dist_info()
    if world_size == 1:
        return [own]
    states: list[Any] = [None] * world_size if rank == 0 else []
    dist.gather_object(own, states if rank == 0 else None, dst=0, group=host_group())
    return states


def build_run_state(runner: 'BaseRunner', processes: list[dict[str, Any]]) -> dict[str, Any]:
    """What a checkpoint needs for an exact resume: the position, and the state of each process.

    `processes`: result of `gather_process_states`; not needed with a single process.
    """
    if runner.world_size == 1:
        processes = gather_process_states(runner)
    return {'workflow': runner.workflow, 'place': runner.state_dict(), 'processes': processes}


def restore_run_state(runner: 'BaseRunner', state: dict[str, Any]) -> None:
    """Continue as the run that wrote `state`; logs what cannot be restored.

    Weights are not part of it. Raises CheckpointError for a malformed state.
    """
    try:
        if state['workflow'] == runner.workflow:
            runner.load_state_dict(state['place'])
        else:
            runner.logger.warning('the checkpoint was written under workflow=%s: this one starts '
                                  'at its top, with a new pass over the data', state['workflow'])
        _restore_process_state(runner, state['processes'])
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise CheckpointError(
            f'the run_state of the checkpoint cannot be used ({type(error).__name__}: {error}): '
            'resume from another one, or start a new run from its weights with --load-from'
        ) from error


def other_processes(state: dict[str, Any] | None, device: torch.device) -> list[Difference]:
    """Rows of the table of differences: parts of the state that these processes cannot use."""
    states = state.get('processes') if isinstance(state, dict) else None
    if not isinstance(states, list):
        return []  # `resume` and `restore_run_state` have messages for it
    world_size = get_dist_info()[1]
    if len(states) != world_size:
        known = str(len(states)) if states else 'not known'
        return [Difference('processes', known, str(world_size), f'{TAKEN}; random numbers and '
                           'accumulated gradients begin anew, the order of the data goes on')]
    try:
        former = states[0]['random']['device'][0]
    except (LookupError, TypeError):
        return []  # an error when the state is restored
    if former in (None, device.type):
        return []
    return [Difference('device', former, device.type, f'{TAKEN}; its random numbers begin anew, '
                       'and results are equal up to rounding')]


def _restore_process_state(runner: 'BaseRunner', states: list[dict[str, Any]]) -> None:
    rank, world_size = get_dist_info()
    if len(states) != world_size:  # logged by `other_processes`
        return
    gradients = states[rank].get('gradients')
    if gradients is not None:
        for name, parameter in runner.unwrapped_model.named_parameters():
            if name in gradients:
                parameter.grad = gradients[name].to(parameter.device)
        runner.accumulating = True
    restore_random_states(states[rank]['random'], runner.device)
