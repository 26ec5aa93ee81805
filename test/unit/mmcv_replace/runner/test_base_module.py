"""BaseModule: weights are drawn once, outer modules before inner ones."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.runner.base_module import BaseModule, ModuleDict, ModuleList, Sequential


class Leaf(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.linear = nn.Linear(2, 2)


def constant(value):
    return dict(type='Constant', val=value, layer='Linear')


def value_of(leaf):
    return leaf.linear.weight.unique().tolist()


def test_without_config_nothing_is_drawn():
    leaf = Leaf()
    before = leaf.linear.weight.clone()
    leaf.init_weights()
    assert torch.equal(leaf.linear.weight, before)
    assert leaf.is_init


def test_inner_configs_come_after_outer_ones():
    class Outer(BaseModule):
        def __init__(self):
            super().__init__([constant(1)])
            self.own = nn.Linear(2, 2)
            self.plain = Leaf()
            self.special = Leaf(constant(2))

    outer = Outer()
    outer.init_weights()
    assert outer.own.weight.eq(1).all()
    assert value_of(outer.plain) == [1]
    assert value_of(outer.special) == [2]


def test_configs_inside_plain_containers_are_applied():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.leaf = Leaf(constant(4))

    outer = Sequential(nn.Sequential(nn.ReLU(), Leaf(constant(3))), nn.ModuleList([Holder()]))
    outer.init_weights()
    assert value_of(outer[0][1]) == [3]
    assert value_of(outer[1][0].leaf) == [4]


def test_other_modules_inside_plain_containers_stay_as_they_are():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = ConvModule(1, 1, 1)
            nn.init.constant_(self.block.conv.weight, 7)

    class Outer(BaseModule):
        def __init__(self, init_cfg=None):
            super().__init__(init_cfg)
            self.holders = nn.ModuleList([Holder(), Sequential(Holder())])

    outer = Outer()
    outer.init_weights()
    assert [p.item() for p in outer.parameters() if p.dim() == 4] == [7, 7]
    outer = Outer(dict(type='Constant', val=5, layer='Conv2d'))
    outer.init_weights()
    assert [p.item() for p in outer.parameters() if p.dim() == 4] == [5, 5]


def test_any_module_with_init_weights_takes_part():
    class Old(nn.Module):
        calls = 0

        def init_weights(self):
            self.calls += 1

    outer = ModuleList([Old()])
    outer.init_weights()
    assert outer[0].calls == 1


def test_second_call_does_nothing():
    leaf = Leaf(constant(1))
    leaf.init_weights()
    nn.init.constant_(leaf.linear.weight, 9)
    leaf.init_weights()
    assert value_of(leaf) == [9]


@pytest.mark.parametrize('given', [lambda cfg: cfg, lambda cfg: [cfg]])
def test_pretrained_weights_are_not_drawn_over(tmp_path, given):
    class Outer(BaseModule):
        def __init__(self, init_cfg):
            super().__init__(init_cfg)
            self.leaf = Leaf(constant(2))

    source = Outer(None)
    torch.save(source.state_dict(), tmp_path / 'weights.pth')
    outer = Outer(given(dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth'))))
    assert outer.is_pretrained
    assert not source.is_pretrained
    outer.init_weights()
    assert torch.equal(outer.leaf.linear.weight, source.leaf.linear.weight)


def test_config_is_copied():
    cfg = constant(1)
    leaf = Leaf(cfg)
    cfg['val'] = 5
    leaf.init_weights()
    assert value_of(leaf) == [1]


def test_text_names_the_config():
    assert repr(Leaf(constant(1))) == f'{Leaf()!r}\ninit_cfg={constant(1)}'
    assert repr(ModuleList([nn.ReLU()])) == repr(nn.ModuleList([nn.ReLU()]))
    assert repr(Sequential(init_cfg=constant(1))).endswith(f'init_cfg={constant(1)}')


def test_containers_keep_torch_names_and_take_a_config():
    sequential = Sequential(nn.Linear(2, 2), nn.ReLU(), init_cfg=constant(6))
    sequential.init_weights()
    assert list(sequential.state_dict()) == ['0.weight', '0.bias']
    assert sequential[0].weight.eq(6).all()
    modules = ModuleList([nn.Linear(2, 2)], init_cfg=constant(7))
    modules.init_weights()
    assert modules[0].weight.eq(7).all()
    named = ModuleDict(dict(a=nn.Linear(2, 2), b=nn.ReLU()), init_cfg=constant(8))
    named.init_weights()
    assert list(named.state_dict()) == ['a.weight', 'a.bias']
    assert named['a'].weight.eq(8).all()
    assert len(ModuleDict()) == 0


def test_state_passes_through_by_default():
    state = {'a': torch.zeros(1)}
    assert Leaf().adapt_state_dict(state) is state
