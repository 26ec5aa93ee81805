import pytest
import torch

from mmcv_replace.runner import LogBuffer


def test_mean_is_weighted_by_count():
    buffer = LogBuffer()
    buffer.update({'loss': 1.0}, count=1)
    buffer.update({'loss': torch.tensor(4.0)}, count=3)
    buffer.average()
    assert buffer.output['loss'] == pytest.approx((1 * 1 + 4 * 3) / 4)
    assert isinstance(buffer.output['loss'], float)
    assert buffer.ready


def test_mean_of_the_last_values():
    buffer = LogBuffer()
    for value in range(10):
        buffer.update({'a': torch.tensor(float(value)), 'b': -value})
    buffer.update({'seldom': 5.0})
    buffer.average(4)
    assert buffer.output == {'a': 7.5, 'b': -7.5, 'seldom': 5.0}
    buffer.average()
    assert buffer.output['a'] == 4.5


def test_later_values_enter_a_later_mean():
    buffer = LogBuffer()
    buffer.update({'a': 1.0})
    buffer.average(1)
    buffer.update({'a': 2.0})
    buffer.average(1)
    assert buffer.output['a'] == 2.0


def test_tensors_travel_to_the_host_at_once(monkeypatch):
    transfers = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, 'tolist',
                        lambda self: transfers.append(self.shape) or tolist(self))
    buffer = LogBuffer()
    for _ in range(3):
        buffer.update({'a': torch.tensor(1.0), 'b': torch.tensor([2.0], dtype=torch.float16)})
    assert transfers == []
    buffer.average(3)
    buffer.average(3)  # as a second logger does
    assert transfers == [(6,)]
    assert buffer.output == {'a': 1.0, 'b': 2.0}


def test_graphs_are_not_kept():
    buffer = LogBuffer()
    buffer.update({'a': torch.ones(1, requires_grad=True).sum()})
    assert buffer.val_history['a'][0].grad_fn is None


def test_double_precision_is_kept_on_the_host():
    buffer = LogBuffer()
    buffer.update({'a': torch.tensor(1 / 3, dtype=torch.float64)})
    buffer.average()
    assert buffer.output['a'] == 1 / 3


def test_trim_bounds_the_memory():
    buffer = LogBuffer()
    buffer.window = 3
    for value in range(5):
        buffer.update({'a': float(value)})
        buffer.trim()
    assert buffer.val_history == {'a': [2, 3, 4]}
    assert len(buffer.n_history['a']) == 3


def test_clear():
    buffer = LogBuffer()
    buffer.update({'a': 1.0})
    buffer.average()
    buffer.clear_output()
    assert (buffer.output, buffer.ready) == ({}, False)
    buffer.average()
    assert buffer.output == {'a': 1.0}
    buffer.clear()
    buffer.average()
    assert (buffer.output, buffer.ready) == ({}, False)
