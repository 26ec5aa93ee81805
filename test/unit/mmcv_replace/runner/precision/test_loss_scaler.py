"""Expected values are those of mmcv 1.7.2."""
import pytest
import torch
from torch import nn

from mmcv_replace.runner import LossScaler


def test_scales_of_a_run_with_overflows():
    scaler = LossScaler(init_scale=16, scale_window=3)
    scales = []
    for overflow in (0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0):
        scaler.update_scale(bool(overflow))
        scales.append(scaler.loss_scale)
    assert scales == [16, 16, 32, 32, 16, 16, 16, 32, 16, 16, 16, 32, 32, 32]
    assert (scaler.cur_iter, scaler.last_overflow_iter) == (14, 8)
    for _ in range(8):
        scaler.update_scale(True)
    assert scaler.loss_scale == 1


def test_factor():
    scaler = LossScaler(init_scale=1, scale_factor=3., scale_window=1)
    scaler.update_scale(False)
    assert scaler.loss_scale == 3


def test_static_mode_never_changes():
    scaler = LossScaler(init_scale=4, mode='static')
    scaler.update_scale(True)
    assert (scaler.loss_scale, scaler.cur_iter) == (4, 0)
    with pytest.raises(AssertionError, match="'dynamic' or 'static'"):
        LossScaler(mode='other')


@pytest.mark.parametrize(('value', 'overflows'), [(1., False), (float('inf'), True),
                                                  (float('nan'), True), (None, False)])
def test_overflow(value, overflows):
    parameter = nn.Parameter(torch.ones(2))
    parameter.grad = None if value is None else torch.tensor([1., value])
    assert LossScaler().has_overflow([nn.Parameter(torch.ones(1)), parameter]) is overflows


def test_state():
    scaler = LossScaler(init_scale=16, scale_window=2)
    scaler.update_scale(True)
    state = scaler.state_dict()
    assert state == {'cur_scale': 8, 'cur_iter': 1, 'mode': 'dynamic', 'last_overflow_iter': 0,
                     'scale_factor': 2., 'scale_window': 2}
    other = LossScaler()
    other.load_state_dict(state)
    assert vars(other) == vars(scaler)
    with pytest.raises(KeyError):
        other.load_state_dict({'cur_scale': 1})
    assert vars(other) == vars(scaler)
