import math

import pytest
import torch
from torch import nn

from mmcv_replace.runner import CheckInvalidLossHook, Hook
from mmcv_replace.runner.hooks import invalid_loss
from mmcv_replace.utils.errors import NonFiniteLossError


class Failing(nn.Module):
    """Its loss becomes `value` in the third iteration."""

    def __init__(self, value):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.value = value
        self.calls = 0

    def train_step(self, data, optimizer):
        self.calls += 1
        loss = self.weight.sum() * (self.value if self.calls == 3 else 1.0)
        return {'loss': loss, 'num_samples': 1,
                'log_vars': {'part': torch.tensor(2.5), 'loss': loss.detach()}}


def run(make_runner, make_loader, model, interval=50, checkpoints=None):
    runner = make_runner(model=model, max_iters=6)
    runner.register_training_hooks({'policy': 'fixed'}, {}, checkpoints,
                                   {'interval': interval, 'hooks': []})
    runner.run([make_loader()], [('train', 1)])


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_stops_at_once_and_tells_all(make_runner, make_loader, tmp_path, value):
    model = Failing(value)
    with pytest.raises(NonFiniteLossError) as error:
        run(make_runner, make_loader, model, checkpoints={'interval': 1})
    message = str(error.value)
    assert message.startswith('iteration 3: ')
    assert 'part: 2.5' in message
    assert f'loss: {value:.6g}' in message
    assert str(tmp_path / 'work' / 'iter_2.pth') in message
    assert not (tmp_path / 'work' / 'iter_3.pth').exists()
    assert torch.isfinite(model.weight).all()  # the step was not taken


def test_without_a_checkpoint(make_runner, make_loader):
    with pytest.raises(NonFiniteLossError, match='no checkpoint has been written'):
        run(make_runner, make_loader, Failing(math.nan))


@pytest.mark.parametrize(('interval', 'calls'), [(2, 4), (3, 3), (50, 6)])
def test_asynchronous_devices_are_asked_at_the_interval(
        make_runner, make_loader, monkeypatch, interval, calls):
    """After the bad step the weights are bad, so the next look finds it; with 50 none comes."""
    monkeypatch.setattr(invalid_loss, 'is_asynchronous', lambda device: True)
    model = Failing(math.nan)
    if calls == 6:
        run(make_runner, make_loader, model, interval)
    else:
        with pytest.raises(NonFiniteLossError):
            run(make_runner, make_loader, model, interval)
    assert model.calls == calls


def test_no_checkpoint_of_broken_weights(make_runner, make_loader, monkeypatch, tmp_path):
    monkeypatch.setattr(invalid_loss, 'is_asynchronous', lambda device: True)
    with pytest.raises(NonFiniteLossError, match='weight is not finite, so no checkpoint'):
        run(make_runner, make_loader, Failing(math.nan), checkpoints={'interval': 1})
    assert (tmp_path / 'work' / 'iter_2.pth').exists()
    assert not (tmp_path / 'work' / 'iter_3.pth').exists()


def test_fine_losses_pass(make_runner, make_loader, tmp_path):
    run(make_runner, make_loader, Failing(1.0), checkpoints={'interval': 3})
    assert (tmp_path / 'work' / 'iter_6.pth').exists()


def test_runs_before_the_step(make_runner):
    runner = make_runner()
    runner.register_training_hooks(None, {})
    kinds = [type(hook) for hook in runner.hooks]
    assert kinds.index(CheckInvalidLossHook) == 0
    assert isinstance(runner.hooks[0], Hook)
