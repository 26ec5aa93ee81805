"""Tensors and lists of them on numbered devices."""
import pytest
import torch

from mmcv_replace.parallel import _functions
from mmcv_replace.parallel._functions import Scatter, get_input_device, scatter


@pytest.fixture
def accelerators(monkeypatch):
    """The meta device is every accelerator."""
    monkeypatch.setattr(_functions, 'device_at',
                        lambda number: torch.device('cpu' if number < 0 else 'meta'))


def test_host_only():
    tensors = [torch.zeros(1, 3), torch.ones(2)]
    assert scatter(tensors[0], [-1]) is tensors[0]
    assert scatter(tensors, [-1]) == tensors
    assert scatter([], [-1]) == []


def test_a_list_is_dealt_out_in_runs(accelerators):
    tensors = [torch.zeros(size) for size in range(5)]
    moved = scatter(tensors, [-1, 0], streams=[None, None])
    assert [tensor.device.type for tensor in moved] == ['cpu'] * 3 + ['meta'] * 2
    assert [len(tensor) for tensor in moved] == list(range(5))
    assert scatter([[tensors[1]]], [0])[0][0].device.type == 'meta'
    assert scatter(tensors[0], [0, -1]).device.type == 'meta'


def test_forward_gives_a_tuple(accelerators):
    (moved,) = Scatter.forward([0], torch.ones(2))
    assert moved.device.type == 'meta'
    both = Scatter.forward([-1], [torch.ones(1), [torch.zeros(1)]])
    assert isinstance(both, tuple)
    assert both[1][0].tolist() == [0]


def test_number_of_the_device():
    class Elsewhere(torch.Tensor):
        def get_device(self):
            return 3

    there = torch.zeros(1).as_subclass(Elsewhere)
    assert get_input_device(torch.zeros(1)) == -1
    assert get_input_device([torch.zeros(1), [torch.zeros(1)]]) == -1
    assert get_input_device([]) == -1
    assert get_input_device([torch.zeros(1), [there]]) == 3


@pytest.mark.parametrize('call', [get_input_device, lambda value: scatter(value, [-1])])
def test_other_values_are_refused(call):
    for error in (TypeError, AssertionError):
        with pytest.raises(error, match='int: 5'):
            call(5)
