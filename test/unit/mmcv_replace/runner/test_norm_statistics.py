"""Running statistics that are estimated anew, against NumPy in double precision."""
import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner.norm_statistics import estimate_statistics


class Net(nn.Module):
    """A norm that learns, one that is frozen, one that is never used, and a counter of steps."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3, momentum=0.25)
        self.frozen = nn.BatchNorm1d(3)
        self.unused = nn.BatchNorm1d(3)
        self.register_buffer('steps', torch.zeros(1))

    def train(self, mode=True):
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, x):
        self.steps += 1
        return self.frozen(self.norm(x))


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(8, 3, generator=generator) * 3 + 5 for _ in range(4)]


def test_means_over_the_batches(batches):
    found = estimate_statistics(model := Net(), batches, model)
    assert set(found) == {'norm.running_mean', 'norm.running_var'}
    arrays = [batch.double().numpy() for batch in batches]
    np.testing.assert_allclose(found['norm.running_mean'],
                               np.mean([array.mean(0) for array in arrays], 0), rtol=1e-5)
    np.testing.assert_allclose(found['norm.running_var'],
                               np.mean([array.var(0, ddof=1) for array in arrays], 0), rtol=1e-5)


def test_the_model_stays_as_it_is(batches):
    model = Net()
    model(batches[0])
    nn.Module.train(model.frozen)  # as before the first iteration of a training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    addresses = [value.data_ptr() for value in model.buffers()]

    def fail(batch):
        model(batch)
        raise ZeroDivisionError

    estimate_statistics(model, batches, model)
    with pytest.raises(ZeroDivisionError):
        estimate_statistics(model, batches, fail)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [value.data_ptr() for value in model.buffers()] == addresses
    assert model.norm.momentum == 0.25
    assert all(module.training for module in model.modules())


def test_no_gradient_is_kept(batches):
    outputs = []
    estimate_statistics(model := Net(), batches[:1], lambda batch: outputs.append(model(batch)))
    assert not outputs[0].requires_grad
