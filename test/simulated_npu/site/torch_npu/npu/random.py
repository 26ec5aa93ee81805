"""Seeds and states of the devices' generators."""
import torch

from .devices import current_device, device_count, index_of

_C = torch.ops.simulated_npu


def _generator(device):
    return _C.default_generator(index_of(device))


def get_rng_state(device='npu'):
    return _generator(device).get_state()


def set_rng_state(new_state, device='npu'):
    _generator(device).set_state(new_state)


def get_rng_state_all():
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state_all(new_states):
    for index, state in enumerate(new_states):
        set_rng_state(state, index)


def manual_seed(seed):
    _generator(None).manual_seed(int(seed))


def manual_seed_all(seed):
    for index in range(device_count()):
        _generator(index).manual_seed(int(seed))


def seed():
    return _generator(None).seed()


def seed_all():
    manual_seed_all(seed())


def initial_seed():
    return _generator(current_device()).initial_seed()
