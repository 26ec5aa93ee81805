"""State dicts without the wrappers in a model, and states of older versions of a module."""
from collections import OrderedDict

import pytest
import torch
from torch import nn

from mmcv_replace.parallel import MODULE_WRAPPERS
from mmcv_replace.runner import (
    load_checkpoint,
    load_state_dict,
    save_checkpoint,
    weights_to_cpu,
)
from mmcv_replace.runner.checkpoint import get_state_dict


class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


class PlainWrapper:
    def __init__(self, module):
        self.module = module


@pytest.fixture(autouse=True)
def wrappers(monkeypatch):
    for kind in (Wrapper, PlainWrapper):
        monkeypatch.setitem(MODULE_WRAPPERS.module_dict, kind.__name__, kind)


def model():
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(
        block=nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 1), norm=nn.BatchNorm2d(2))),
        last=nn.Conv2d(2, 1, 1)))


def wrapped():
    inside = model()
    inside.block.norm = Wrapper(inside.block.norm)
    inside.block = Wrapper(inside.block)
    inside.last = Wrapper(inside.last)
    return inside


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize('outer', [lambda module: module, Wrapper, PlainWrapper])
def test_names_have_no_wrappers(outer):
    expected = model().state_dict()
    state = get_state_dict(outer(wrapped()))
    assert same(state, expected)
    assert isinstance(state, OrderedDict)
    assert state._metadata == expected._metadata


def test_options():
    destination = OrderedDict(first=0)
    inside = wrapped()
    state = get_state_dict(inside, destination, prefix='net.', keep_vars=True)
    assert state is destination
    assert list(state)[:2] == ['first', 'net.block.conv.weight']
    assert state['net.last.weight'] is inside.last.module.weight
    assert get_state_dict(inside)['last.weight'].grad_fn is None
    assert not get_state_dict(inside)['last.weight'].requires_grad


def test_wrapped_and_plain_models_have_each_other_s_states(log_lines):
    source = model()
    nn.init.normal_(source.block.conv.weight)
    target = wrapped()
    load_state_dict(PlainWrapper(target), source.state_dict(), strict=True)
    assert same(get_state_dict(target), source.state_dict())
    back = model()
    load_state_dict(back, get_state_dict(target), strict=True)
    assert same(back.state_dict(), source.state_dict())
    assert log_lines == []


def test_a_file_has_no_wrappers(tmp_path):
    save_checkpoint(wrapped(), tmp_path / 'x.pth')
    load_checkpoint(model(), tmp_path / 'x.pth', strict=True)


def test_weights_to_cpu():
    state = model().state_dict()
    on_host = weights_to_cpu(state)
    assert same(on_host, state)
    assert on_host._metadata == state._metadata
    assert weights_to_cpu({'w': torch.ones(1)}) == {'w': torch.ones(1)}


class Before(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)


class After(nn.Module):
    """Its `zeroth` and `first` were called `first` and `second` in version 1."""

    _version = 2

    def __init__(self):
        super().__init__()
        self.zeroth, self.first = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if local_metadata.get('version', 1) < 2:
            for key in [key for key in state_dict if key.startswith(prefix)]:
                new = key.replace('first', 'zeroth').replace('second', 'first')
                if new != key:
                    state_dict[new] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


@pytest.mark.parametrize('strict', [True, False])
def test_states_of_an_older_version_are_converted(tmp_path, log_lines, strict):
    before, after = nn.Sequential(Before()), nn.Sequential(After())
    save_checkpoint(before, tmp_path / 'before.pth')
    load_checkpoint(after, tmp_path / 'before.pth', strict=strict)
    assert torch.equal(after[0].zeroth.weight, before[0].first.weight)
    assert torch.equal(after[0].first.weight, before[0].second.weight)
    save_checkpoint(after, tmp_path / 'after.pth')
    other = nn.Sequential(After())
    load_checkpoint(other, tmp_path / 'after.pth', strict=strict)
    assert same(other.state_dict(), after.state_dict())
    assert log_lines == []


class Counted(nn.Linear):
    """Has a state that is no tensor."""

    count = 0

    def get_extra_state(self):
        return {'count': self.count}

    def set_extra_state(self, state):
        self.count = state['count']


def test_extra_states():
    source, target = Counted(1, 1), Counted(1, 1)
    source.count = 3
    load_state_dict(target, source.state_dict(), strict=True)
    assert target.count == 3


def test_hooks_after_loading_are_called():
    seen = []
    target = model()
    target.block.register_load_state_dict_post_hook(
        lambda module, keys: seen.append((module is target.block, keys.missing_keys)))
    state = target.state_dict()
    del state['block.norm.weight']
    load_state_dict(target, state)
    assert seen == [(True, [])]
