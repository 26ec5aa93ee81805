"""The moving average against a slow one in double precision."""
import pytest
import torch
from torch import nn

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner.precision.master_weights import MasterWeights, cast_weights
from mmcv_replace.runner.weight_average import WeightAverage
from mmcv_replace.utils.errors import CheckpointError


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(3)
        self.last = nn.Linear(3, 3, bias=False)
        self.last.weight = self.first.weight
        self.register_buffer('table', torch.arange(3))


def wander(model, steps=5):
    """Change weights and statistics; yields the state after each step."""
    for _ in range(steps):
        with torch.no_grad():
            for value in [*model.parameters(), model.norm.running_mean]:
                value.add_(torch.randn_like(value))
            model.table.add_(1)
        yield {name: value.clone() for name, value in model.state_dict().items()}


def slow_average(start, states, momentum):
    average = {name: value.double() for name, value in start.items()}
    for state in states:
        for name, value in state.items():
            average[name] = (1 - momentum) * average[name] + momentum * value.double()
    return average


@pytest.mark.parametrize('buffers', [False, True])
def test_equals_a_slow_average(buffers):
    model = Tied()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    average, states = WeightAverage(MMDataParallel(model), buffers=buffers), []
    for state in wander(model):
        states.append(state)
        average.update(0.3)
    expected = slow_average(start, states, 0.3)
    averaged = average.put_into(model.state_dict())
    assert list(averaged) == list(model.state_dict())
    weights = {'first.weight', 'first.bias', 'last.weight', 'norm.weight', 'norm.bias'}
    moving = weights | ({'norm.running_mean', 'norm.running_var'} if buffers else set())
    for name, value in averaged.items():
        if name in moving:
            torch.testing.assert_close(value, expected[name].float())
        else:  # as in the model now
            assert torch.equal(value, states[-1][name]), name
    assert not torch.equal(averaged['first.weight'], states[-1]['first.weight'])


class Replacing(nn.Module):
    """A norm that puts a new tensor in the place of its statistic, and a mask that is no statistic.
    """

    def __init__(self):
        super().__init__()
        self.register_buffer('running_mean', torch.zeros(2))
        self.register_buffer('mask', torch.tensor([0.0, -torch.inf]))
        self.weight = nn.Parameter(torch.ones(2))


def test_statistics_of_foreign_norms():
    model = nn.Sequential(shared := Replacing(), shared)
    average = WeightAverage(model, buffers=True)
    shared.running_mean = torch.ones(2)
    average.update(0.25)
    averaged = average.put_into(model.state_dict())
    for name in ('0.running_mean', '1.running_mean'):
        assert averaged[name].tolist() == [0.25, 0.25]
    with average.applied():
        assert shared.running_mean.tolist() == [0.25, 0.25]
    assert shared.running_mean.tolist() == [1, 1]
    assert averaged['0.mask'].tolist() == [0, -torch.inf]


def test_statistics_are_replaced_by_name():
    model = Tied()
    average = WeightAverage(model, buffers=True)
    average.set_statistics({'norm.running_mean': torch.full((3,), 7.0)})
    averaged = average.put_into(model.state_dict())
    assert averaged['norm.running_mean'].tolist() == [7, 7, 7]
    assert averaged['norm.running_var'].tolist() == [1, 1, 1]
    assert model.norm.running_mean.tolist() == [0, 0, 0]


def test_a_small_momentum_survives_low_precision():
    """1e-4 of a change is lost in bfloat16's eight bits, not in the float32 masters."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    cast_weights(model, torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    masters = MasterWeights(model, optimizer)
    average = WeightAverage(model, masters)
    with torch.no_grad():
        masters.by_name()['weight'].fill_(2.0)
    masters.give_weights()
    for _ in range(10):
        average.update(1e-4)
    averaged = average.put_into(model.state_dict())['weight']
    assert averaged.dtype == torch.float32
    assert averaged.item() == pytest.approx(2 - 0.9999**10, rel=1e-6)
    with average.applied():
        assert model.weight.dtype == torch.bfloat16
        assert model.weight.item() == 1.0  # rounded
    assert model.weight.item() == 2.0
    assert masters.by_name()['weight'].item() == 2.0


def test_applied_inside_and_restored_after_an_error():
    model = Tied()
    average = WeightAverage(model, buffers=True)
    own = list(wander(model, 1))[0]
    average.update(0.25)
    averaged = average.put_into(model.state_dict())
    addresses = [value.data_ptr() for value in model.state_dict().values()]
    inside = {}

    def fail():
        with average.applied():
            inside.update((name, value.clone()) for name, value in model.state_dict().items())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert all(torch.equal(inside[name], value) for name, value in averaged.items())
    assert not torch.equal(inside['first.weight'], own['first.weight'])
    assert all(torch.equal(value, own[name]) for name, value in model.state_dict().items())
    assert [value.data_ptr() for value in model.state_dict().values()] == addresses


def test_saved_and_loaded():
    model = Tied()
    average = WeightAverage(model)
    list(wander(model, 1))
    average.update(0.5)
    saved = {name: value.clone() for name, value in average.put_into(model.state_dict()).items()}
    other = WeightAverage(Tied())
    other.load(saved)
    loaded = other.put_into(model.state_dict())
    assert all(torch.equal(loaded[name], value) for name, value in saved.items())


@pytest.mark.parametrize(('change', 'message'), [
    (lambda state: state.pop('first.bias'), r'first\.bias is not in it, \[3\] is needed'),
    (lambda state: state.update({'first.bias': torch.zeros(4)}),
     r'first\.bias is of the shape \[4\], \[3\] is needed'),
])
def test_averages_that_do_not_fit(change, message):
    model = Tied()
    average = WeightAverage(model)
    saved = average.put_into(model.state_dict())
    change(saved)
    with pytest.raises(CheckpointError, match=message):
        average.load(saved)
