import pickle

import numpy as np
import pytest
import torch

from mmcv_replace.parallel import DataContainer


class FakeTensor(torch.Tensor):
    """Records that it was page-locked, which needs an accelerator."""

    def pin_memory(self):
        return 'pinned'


def fake_tensor():
    return torch.zeros(2).as_subclass(FakeTensor)


def test_holds_value_and_instructions():
    container = DataContainer(torch.zeros(3, 4, 5), stack=True, padding_value=255, pad_dims=1)
    assert container.data.shape == (3, 4, 5)
    assert (container.stack, container.padding_value, container.pad_dims) == (True, 255, 1)
    assert not container.cpu_only
    assert container.size() == (3, 4, 5)
    assert container.size(0) == 3
    assert container.dim() == 3
    assert container.datatype == 'torch.FloatTensor'
    assert len(DataContainer([1, 2])) == 2
    assert DataContainer({'a': 1}).datatype is dict


def test_travels_between_processes():
    container = DataContainer({'name': 'a'}, cpu_only=True, padding_value=7)
    copy = pickle.loads(pickle.dumps(container))
    assert (copy.data, copy.cpu_only, copy.padding_value) == ({'name': 'a'}, True, 7)


def test_pin_memory_reaches_nested_tensors_and_keeps_instructions():
    container = DataContainer([fake_tensor(), [fake_tensor()]], stack=True, padding_value=3)
    pinned = container.pin_memory()
    assert pinned.data == ['pinned', ['pinned']]
    assert (pinned.stack, pinned.padding_value) == (True, 3)


def test_pin_memory_leaves_host_only_values():
    container = DataContainer([fake_tensor()], cpu_only=True)
    assert container.pin_memory() is container


@pytest.mark.parametrize('error', [ValueError, AssertionError])
@pytest.mark.parametrize('number', [0, 5])
def test_refuses_other_pad_dims(number, error):
    with pytest.raises(error, match=f'pad_dims={number}'):
        DataContainer(torch.zeros(1), pad_dims=number)


@pytest.mark.parametrize('name', ['data', 'stack', 'padding_value', 'cpu_only', 'pad_dims'])
def test_stays_as_it_is(name):
    with pytest.raises(AttributeError):
        setattr(DataContainer(1), name, 1)


@pytest.mark.parametrize('value', [[1], np.ones((2, 3))])
@pytest.mark.parametrize('method', ['size', 'dim'])
def test_only_tensors_have_a_size(value, method):
    with pytest.raises(AttributeError, match=rf'{type(value).__name__} has no {method}\(\)'):
        getattr(DataContainer(value), method)()


def test_shown_with_its_value_and_equal_to_itself_alone():
    assert repr(DataContainer([1, 'a'])) == "DataContainer([1, 'a'])"
    assert DataContainer(1) != DataContainer(1)
