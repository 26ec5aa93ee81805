"""Random weights that are not drawn, and all the ways in which they have to be."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.utils.deferred_init import DeferredInit

GARBAGE = 1e30


@pytest.fixture(autouse=True)
def garbage_in_new_memory(monkeypatch):
    """What is left without values shows itself."""
    monkeypatch.setattr(torch, 'empty', lambda *size, **options: torch.full(
        size[0] if isinstance(size[0], tuple) else size, GARBAGE, **options))


def build():
    return nn.Sequential(ConvModule(3, 4, 3, norm_cfg=dict(type='BN')), nn.Linear(8, 2),
                         nn.Conv2d(4, 5, 1))


def values(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_nothing_is_drawn_before_finish(monkeypatch):
    drawn = []
    with DeferredInit() as init:
        model = build()
    undrawn = [p for p in model.parameters() if (p == GARBAGE).all()]
    monkeypatch.setattr(nn.init, '_no_grad_normal_', drawn.append)
    assert {tuple(p.shape) for p in undrawn} == {(4, 3, 3, 3), (2, 8), (2,), (5, 4, 1, 1), (5,)}
    assert (model[0].bn.weight == 1).all()
    assert not drawn
    init.finish()
    assert values(model).abs().max() < 10


def test_all_weights_have_the_distribution_that_the_plain_build_gives():
    with DeferredInit() as init:
        model = nn.Sequential(nn.Conv2d(64, 64, 3), ConvModule(64, 64, 3, act_cfg=None),
                              nn.Linear(300, 400))
        nn.init.trunc_normal_(model[2].bias, std=0.3, a=-0.5, b=0.5)
    init.finish()
    plain = nn.Sequential(nn.Conv2d(64, 64, 3), ConvModule(64, 64, 3, act_cfg=None),
                          nn.Linear(300, 400))
    nn.init.trunc_normal_(plain[2].bias, std=0.3, a=-0.5, b=0.5)
    for (name, found), expected in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert found.requires_grad
        torch.testing.assert_close(found.std(), expected.std(), rtol=0.1, atol=1e-3, msg=name)
        torch.testing.assert_close(found.abs().max(), expected.abs().max(), rtol=0.3, atol=1e-3)


def test_loaded_weights_stay_and_the_others_are_drawn():
    with DeferredInit() as init:
        model = build()
    state = {name: torch.full_like(value, 7) for name, value in build().state_dict().items()}
    del state['1.weight']
    model.load_state_dict(state, strict=False)
    init.finish()
    for name, value in model.named_parameters():
        assert (value == 7).all() == (name != '1.weight')
    assert model[1].weight.abs().max() < 1


@pytest.mark.parametrize('use', [
    lambda p: p.mul_(2),
    lambda p: p.data.mul_(2),
    lambda p: p[0].fill_(0).clone(),
    lambda p: p.detach().clone(),
    lambda p: torch.cat([p, p]),
    lambda p: copy.deepcopy(p),
    lambda p: p.numpy(),
    lambda p: [p.tolist()],
    lambda p: torch.stack(tensors=[p]),
])
def test_values_that_are_used_are_drawn_first(use):
    with DeferredInit() as init, torch.no_grad():
        weight = nn.Parameter(torch.empty(6, 6))
        nn.init.kaiming_uniform_(weight)
        used = use(weight)
    before = weight.detach().clone()
    init.finish()
    assert torch.equal(weight, before)
    assert weight.abs().max() < 10
    if isinstance(used, torch.Tensor):
        assert used.abs().max() < 10


@pytest.mark.parametrize('overwrite', [
    lambda p: nn.init.constant_(p, 3), lambda p: nn.init.zeros_(p), lambda p: p.data.fill_(3)])
def test_the_last_fill_wins(overwrite):
    with DeferredInit() as init:
        weight = nn.Parameter(torch.empty(4, 4))
        nn.init.normal_(weight)
        overwrite(weight)
    init.finish()
    assert len(weight.unique()) == 1
    with DeferredInit() as init:
        nn.init.constant_(weight, 100)
        nn.init.normal_(weight)
    init.finish()
    assert weight.abs().max() < 10


def test_tensors_that_are_no_parameters_are_drawn_at_once():
    with DeferredInit():
        buffer = torch.empty(4, 4).normal_()
        assert buffer.abs().max() < 10


def test_spectral_norm_sees_drawn_weights():
    with DeferredInit() as init:
        conv = nn.utils.spectral_norm(nn.Conv2d(3, 4, 3))
    init.finish()
    for value in (*conv.parameters(), *conv.buffers()):
        assert value.abs().max() < 10
