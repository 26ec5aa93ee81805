"""HRNet: what its options change, and what it refuses."""
import copy

import pytest
import torch

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_backbone
from mmseg.models.backbones.hrnet_module import HRModule
from mmseg.models.backbones.resnet_blocks import BasicBlock, Bottleneck

from .backbone_cases.hrnet import stages

EXTRA = stages((4, 6, 8, 10), (1, 1), (1, 1), (1, 1), (2, 2))


def make(**options):
    torch.manual_seed(0)
    return build_backbone(dict(type='HRNet', **dict(extra=EXTRA) | options))


def test_stages_have_the_modules_branches_and_blocks_of_extra():
    model = make()
    assert [len(getattr(model, f'stage{i}')) for i in (2, 3, 4)] == [1, 1, 2]
    for i in (2, 3, 4):
        for module in getattr(model, f'stage{i}'):
            assert [len(branch) for branch in module.branches] == [2 if i == 4 else 1] * i
            assert all(isinstance(branch[0], BasicBlock) for branch in module.branches)
    assert isinstance(model.layer1[0], Bottleneck)
    assert model.out_channels == (4, 6, 8, 10)
    assert model.out_strides == (4, 8, 16, 32)


def test_one_output():
    model = make(multiscale_output=False)
    assert model.out_channels == (4,)
    assert len(model.stage4[0].fuse_layers) == 4
    assert len(model.stage4[1].fuse_layers) == 1
    model.load_state_dict(make().state_dict(), strict=False)
    x = torch.randn(1, 3, 64, 64)
    first, = model.eval()(x)
    torch.testing.assert_close(first, make().eval()(x)[0])


@pytest.mark.parametrize('zero', [True, False])
def test_blocks_start_as_the_identity(zero):
    model = make(zero_init_residual=zero)
    model.init_weights()
    assert model.layer1[0].bn3.weight.any() == (not zero)
    assert model.stage3[0].branches[1][0].bn2.weight.any() == (not zero)
    assert model.layer1[0].bn1.weight.all()


def test_layer_types():
    model = make(norm_cfg=dict(type='GN', num_groups=2), conv_cfg=dict(type='ConvWS'))
    kinds = {type(module).__name__ for module in model.modules()}
    assert {'GroupNorm', 'ConvWS2d'} <= kinds
    assert not {'BatchNorm2d', 'Conv2d'} & kinds


def test_blocks_are_computed_again_in_backward():
    model = make(with_cp=True)
    assert all(block.with_cp for branch in model.stage4[0].branches for block in branch)
    assert model.layer1[0].with_cp


def test_recomputed_norms_store_less():
    def stored(recompute):
        model, sizes = make().train(), []
        for module in model.modules():
            if hasattr(module, 'recompute_norms'):
                module.recompute_norms = recompute
        with torch.autograd.graph.saved_tensors_hooks(
                lambda x: sizes.append((x.untyped_storage().data_ptr(), x.numel())) or x,
                lambda x: x):
            outs = model(torch.randn(2, 3, 64, 64))
        assert outs
        return sum(dict(sizes).values())

    assert stored(True) < 0.85 * stored(False)


def test_a_module_updates_the_channels_that_it_is_given():
    channels = [4, 6]
    module = HRModule(2, Bottleneck, (1, 1), channels, (2, 3))
    assert channels == [8, 12]
    maps = [torch.randn(1, 4, 8, 8), torch.randn(1, 6, 4, 4)]
    assert [x.shape[1] for x in module(maps)] == [8, 12]
    alone = HRModule(1, BasicBlock, (1,), [4], (4,))
    assert alone.fuse_layers is None
    torch.testing.assert_close(alone(maps[:1])[0], alone.branches[0](maps[0]))


@torch.no_grad()
def test_maps_are_not_changed_by_the_sums():
    module = HRModule(2, BasicBlock, (1, 1), [4, 6], (4, 6)).eval()
    maps = [torch.randn(1, 4, 8, 8), torch.randn(1, 6, 4, 4)]
    before = copy.deepcopy(maps)
    first, second = module(maps), module(maps)
    for one, other in zip([*first, *maps], [*second, *before], strict=True):
        assert torch.equal(one, other)


def changed(stage, **values):
    return {**EXTRA, stage: {**EXTRA[stage], **values}}


@pytest.mark.parametrize(('extra', 'message'), [
    ({key: EXTRA[key] for key in ('stage1', 'stage2', 'stage3')}, 'extra lacks stage4: it must'),
    ({**EXTRA, 'stage5': {}}, "extra has 'stage5', which is none of the four .*: remove it"),
    (changed('stage2', width=3), 'extra.stage2 must have num_modules, .* but width is unknown'),
    ({**EXTRA, 'stage3': dict(num_modules=1)}, 'extra.stage3 must have .* but block, .* missing'),
    (changed('stage1', block='LARGE'), "extra.stage1.block='LARGE' must be 'BASIC' or 'BOTTLENECK"),
    (changed('stage3', num_branches=2), 'extra.stage3.num_branches=2 must be 3, the number of the'),
    (changed('stage4', num_blocks=(1, 1)), r'extra.stage4.num_blocks=\(1, 1\) must be 4 whole num'),
    (changed('stage2', num_channels=(4, 0)), r'extra.stage2.num_channels=\(4, 0\) must be 2 whole'),
    (changed('stage2', num_modules=0), 'extra.stage2.num_modules=0 must be a whole number from 1')])
def test_wrong_stages_are_refused(extra, message):
    with pytest.raises(ConfigError, match=f'HRNet: {message}'):
        make(extra=extra)


def test_a_module_needs_numbers_for_each_branch():
    with pytest.raises(ConfigError, match=r'HRModule: num_blocks=\[1\] must have a number for each '
                                          'of the num_branches=2 branches'):
        HRModule(2, BasicBlock, (1,), [4, 4], (4, 4))
