"""ResNet: every option, by what it changes."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import PLUGIN_LAYERS, fuse_conv_bn
from mmcv_replace.cnn.utils.winograd_conv import use_winograd
from mmcv_replace.ops import DeformConv2dPack
from mmcv_replace.utils.errors import ConfigError
from mmseg.models import ResNetV1c, ResNetV1d, build_backbone
from mmseg.models.backbones.resnet import ResNet
from mmseg.models.backbones.resnet_blocks import BasicBlock, Bottleneck
from mmseg.models.utils import ResLayer

SMALL = dict(stem_channels=8, base_channels=4)


def make(depth=18, cls=ResNet, **options):
    torch.manual_seed(0)
    return cls(depth=depth, **{**SMALL, **options})


def shapes(model, size=(64, 96)):
    return [tuple(out.shape[1:]) for out in model.eval()(torch.randn(1, 3, *size))]


@pytest.mark.parametrize(('depth', 'block', 'blocks'), [
    (18, BasicBlock, [2, 2, 2, 2]), (34, BasicBlock, [3, 4, 6, 3]), (50, Bottleneck, [3, 4, 6, 3]),
    (101, Bottleneck, [3, 4, 23, 3]), (152, Bottleneck, [3, 8, 36, 3])])
def test_depths(depth, block, blocks):
    model = make(depth)
    layers = [getattr(model, name) for name in model.res_layers]
    assert [len(layer) for layer in layers] == blocks
    assert all(isinstance(each, block) for layer in layers for each in layer)


@pytest.mark.parametrize('depth', [18, 50])
@pytest.mark.parametrize('cls', [ResNet, ResNetV1c])
def test_no_bias_before_a_norm_and_no_copy_by_relu(cls, depth):
    layers = list(make(depth, cls).modules())
    assert all(layer.bias is None for layer in layers if isinstance(layer, nn.Conv2d))
    assert all(layer.inplace for layer in layers if isinstance(layer, nn.ReLU))


def test_outputs_shrink_and_widen():
    assert shapes(make()) == [(4, 16, 24), (8, 8, 12), (16, 4, 6), (32, 2, 3)]
    assert shapes(make(50))[-1] == (128, 2, 3)


def test_strides_dilations_and_out_indices():
    model = make(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), out_indices=(1, 3))
    assert shapes(model) == [(8, 8, 12), (32, 8, 12)]
    assert model.layer4[1].conv1.dilation == (4, 4)
    assert model.layer4[1].conv1.padding == (4, 4)


def test_fewer_stages_and_other_channels():
    model = make(num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(0, 1), in_channels=5)
    assert not hasattr(model, 'layer3')
    outs = model(torch.randn(2, 5, 32, 32))
    assert [tuple(out.shape) for out in outs] == [(2, 4, 8, 8), (2, 8, 4, 4)]
    assert make(base_channels=6).layer1[0].conv1.out_channels == 6
    assert make(stem_channels=10).conv1.out_channels == 10


def dilations(layer, conv='conv2'):
    return [getattr(block, conv).dilation[0] for block in layer]


def test_contracted_dilation_halves_the_first_block():
    options = dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
    plain, contracted = make(50, **options), make(50, contract_dilation=True, **options)
    assert dilations(plain.layer4) == [4, 4, 4]
    assert dilations(contracted.layer4) == [2, 4, 4]
    assert dilations(contracted.layer3) == [1, 2, 2, 2, 2, 2]
    assert dilations(contracted.layer2) == [1, 1, 1, 1]


def test_multi_grid_sets_the_last_stage():
    model = make(50, dilations=(1, 1, 2, 4), strides=(1, 2, 1, 1), multi_grid=(1, 2, 4),
                 contract_dilation=True)
    assert dilations(model.layer4) == [1, 2, 4]
    assert dilations(model.layer3) == [1, 2, 2, 2, 2, 2]


def test_style_moves_the_stride():
    pytorch, caffe = make(50).layer2[0], make(50, style='caffe').layer2[0]
    assert (pytorch.conv1.stride, pytorch.conv2.stride) == ((1, 1), (2, 2))
    assert (caffe.conv1.stride, caffe.conv2.stride) == ((2, 2), (1, 1))


def test_stems_and_shortcuts_of_the_variants():
    c, d = make(cls=ResNetV1c), make(cls=ResNetV1d)
    assert [type(layer) for layer in c.stem] == 3 * [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert [layer.out_channels for layer in c.stem[::3]] == [4, 4, 8]
    assert [layer.stride for layer in c.stem[::3]] == [(2, 2), (1, 1), (1, 1)]
    assert not hasattr(c, 'conv1')
    assert len(d.stem) == 9
    assert [type(layer) for layer in c.layer2[0].downsample] == [nn.Conv2d, nn.BatchNorm2d]
    pool, conv, _ = d.layer2[0].downsample
    assert (pool.kernel_size, pool.stride, conv.stride) == (2, 2, (1, 1))
    assert shapes(c) == shapes(d) == shapes(make())


def test_average_of_an_odd_border_counts_real_pixels_alone():
    pool = make(cls=ResNetV1d).layer2[0].downsample[0]
    assert torch.equal(pool(torch.ones(1, 1, 3, 5)), torch.ones(1, 1, 2, 3))


@pytest.mark.parametrize(('inplanes', 'stride', 'projected'), [(4, 1, False), (4, 2, True),
                                                               (6, 1, True)])
def test_shortcuts_are_projected_where_the_shape_changes(inplanes, stride, projected):
    layer = ResLayer(BasicBlock, inplanes, 4, num_blocks=2, stride=stride)
    assert (layer[0].downsample is not None) is projected
    assert layer[1].downsample is None
    size = 8 // stride
    assert layer(torch.randn(2, inplanes, 8, 8)).shape == (2, 4, size, size)


def test_norm_and_convolution_types():
    model = make(norm_cfg=dict(type='GN', num_groups=2),
                 conv_cfg=dict(type='Conv2dAdaptivePadding'))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert type(model.layer1[0].conv1).__name__ == 'Conv2dAdaptivePadding'
    assert model.layer1[0].norm1 is model.layer1[0].gn1
    assert model.norm1 is model.gn1


@pytest.mark.parametrize('cls', [ResNet, ResNetV1c])
@pytest.mark.parametrize('frozen', [-1, 0, 2])
def test_frozen_stages(cls, frozen):
    model = make(cls=cls, frozen_stages=frozen).train()
    before = copy.deepcopy(model.state_dict())
    model(torch.randn(2, 3, 32, 32))[-1].sum().backward()
    names = ['conv1.', 'bn1.', 'stem.'][:3 if frozen >= 0 else 0]
    names += [f'layer{i + 1}.' for i in range(max(frozen, 0))]
    for name, param in model.named_parameters():
        assert (param.grad is None) == name.startswith(tuple(names)), name
    for name, value in model.state_dict().items():
        if name.endswith('running_mean'):
            assert torch.equal(value, before[name]) == name.startswith(tuple(names)), name


@pytest.mark.parametrize('norm_eval', [False, True])
def test_norm_eval_keeps_the_statistics(norm_eval):
    model = make(norm_eval=norm_eval).train()
    before = model.layer3[0].bn1.running_mean.clone()
    model(torch.randn(2, 3, 32, 32))
    assert torch.equal(model.layer3[0].bn1.running_mean, before) is norm_eval
    assert model.training
    assert model.train(False).layer3[0].bn1.training is False


@pytest.mark.parametrize('depth', [18, 50])
def test_checkpointing_gives_the_same_gradients_and_runs_twice(depth, monkeypatch):
    plain, saving = make(depth), make(depth, with_cp=True)
    calls = []
    branch = type(plain.layer4[0]).branch
    monkeypatch.setattr(type(plain.layer4[0]), 'branch',
                        lambda self, x: calls.append(self) or branch(self, x))
    x = torch.randn(2, 3, 32, 32)
    for model, times in ((plain, 1), (saving, 2)):
        calls.clear()
        model(x)[-1].square().sum().backward()
        assert calls.count(model.layer4[1]) == times
    for (name, one), two in zip(plain.named_parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, msg=name)


@pytest.mark.parametrize(('depth', 'zero'), [(18, True), (18, False), (50, True), (50, False)])
def test_initial_weights(depth, zero):
    model = make(depth, zero_init_residual=zero, base_channels=32)
    model.init_weights()
    last = 2 if depth == 18 else 3
    for block in model.layer2:
        assert getattr(block, f'bn{last}').weight.unique().tolist() == [float(not zero)]
        assert block.bn1.weight.eq(1).all()
        fan_out = block.conv2.out_channels * 9
        assert block.conv2.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.03)


def test_init_cfg_replaces_the_default():
    model = make(init_cfg=dict(type='Constant', val=3, layer='Conv2d'), zero_init_residual=False)
    model.init_weights()
    assert model.conv1.weight.eq(3).all()


def test_weights_of_a_file(tmp_path):
    source = make()
    torch.save(source.state_dict(), tmp_path / 'weights.pth')
    for options in (dict(pretrained=str(tmp_path / 'weights.pth')),
                    dict(init_cfg=dict(type='Pretrained',
                                       checkpoint=str(tmp_path / 'weights.pth')))):
        target = make(**options)
        nn.init.zeros_(target.layer4[1].bn2.bias)
        target.init_weights()
        for key, value in source.state_dict().items():
            assert torch.equal(target.state_dict()[key], value), key


@pytest.mark.parametrize('fallback', [False, True])
def test_deformable_convolution(fallback):
    dcn = dict(type='DCN', deform_groups=2, fallback_on_stride=fallback)
    model = make(50, dcn=dcn, stage_with_dcn=(False, True, False, False))
    found = {name for name, module in model.named_modules() if isinstance(module, DeformConv2dPack)}
    first = set() if fallback else {'layer2.0.conv2'}
    assert found == first | {f'layer2.{i}.conv2' for i in (1, 2, 3)}
    assert model.layer2[1].conv2.deform_groups == 2
    block = model.layer2[0]
    assert (block.with_dcn, block.with_plugins) == (True, False)
    assert (block.conv1_stride, block.conv2_stride) == (1, 2)
    assert not model.layer1[0].with_dcn
    nn.init.ones_(model.layer2[1].conv2.conv_offset.weight)
    model.init_weights()
    assert model.layer2[1].conv2.conv_offset.weight.eq(0).all()
    assert dcn['fallback_on_stride'] is fallback


@pytest.mark.parametrize('kind', ['DCN', 'DCNv2'])
def test_a_network_with_deformable_convolutions_learns(kind):
    """Real steps: the offsets leave zero, and the loss goes down. The keys are mmsegmentation's."""
    model = make(50, dcn=dict(type=kind, deform_groups=1, fallback_on_stride=False),
                 stage_with_dcn=(False, True, True, True), num_stages=4)
    model.init_weights()
    keys = {key.removeprefix('layer2.0.conv2.') for key in model.state_dict()
            if key.startswith('layer2.0.conv2.')}
    assert keys == {'weight', 'conv_offset.weight', 'conv_offset.bias'}
    x = torch.randn(2, 3, 32, 32)
    wanted = [torch.randn_like(out) for out in model(x)]
    optimizer = torch.optim.SGD(model.parameters(), lr=.1)
    losses = []
    for _ in range(4):
        loss = sum((out - aim).square().mean() for out, aim in zip(model(x), wanted, strict=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    for stage in (model.layer2, model.layer4):
        assert stage[0].conv2.conv_offset.weight.abs().max() > 0


@pytest.mark.parametrize('kind', ['DCN', 'DCNv2'])
def test_deformable_convolutions_keep_their_norms_and_their_algorithm(kind):
    """Folding norms and Winograd's algorithm are for plain convolutions, beside these."""
    model = make(50, dcn=dict(type=kind), stage_with_dcn=(False, True, False, False)).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean)
            nn.init.uniform_(module.running_var, .5, 2)
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    folded = use_winograd(fuse_conv_bn(copy.deepcopy(model)))
    block = folded.layer2[1]
    assert type(block.conv2) is type(model.layer2[1].conv2)
    assert isinstance(block.norm1, nn.Identity)
    assert isinstance(block.norm2, nn.BatchNorm2d)
    for found, out in zip(folded(x), expected, strict=True):
        torch.testing.assert_close(found, out, rtol=1e-3, atol=1e-4)


def test_one_setting_chooses_the_convolution():
    dcn = dict(type='DCN')
    with pytest.raises(ConfigError, match='both choose the 3 x 3 convolution'):
        Bottleneck(8, 4, dcn=dcn, conv_cfg=dict(type='Conv'))
    fallback = dict(dcn, fallback_on_stride=True)
    assert type(Bottleneck(8, 4, 2, dcn=fallback, conv_cfg=dict(type='Conv')).conv2) is nn.Conv2d


@pytest.fixture
def gate():
    """A plugin that multiplies by a constant."""

    @PLUGIN_LAYERS.register_module()
    class Gate(nn.Module):
        def __init__(self, in_channels, factor=2.0):
            super().__init__()
            self.in_channels = in_channels
            self.factor = factor

        def forward(self, x):
            return x * self.factor

    yield Gate
    del PLUGIN_LAYERS.module_dict['Gate']


@pytest.mark.parametrize(('position', 'channels'), [('after_conv1', 8), ('after_conv2', 8),
                                                    ('after_conv3', 32)])
def test_plugins(gate, position, channels):
    def build(factor):
        cfg = dict(type='Gate', factor=factor, postfix='_a')
        return make(50, plugins=[dict(cfg=cfg, position=position,
                                      stages=(False, True, False, False))]).eval()

    model, neutral, plain = build(0.5), build(1.0), make(50).eval()
    assert model.layer2[1].gate_a.in_channels == channels
    assert model.layer2[1].with_plugins
    assert not hasattr(model.layer1[1], 'gate_a')
    x = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(neutral(x), plain(x))
    assert torch.equal(model(x)[0], plain(x)[0])
    assert not torch.allclose(model(x)[1], plain(x)[1])
    everywhere = make(50, plugins=[dict(cfg=dict(type='Gate'), position=position)])
    assert all(hasattr(getattr(everywhere, name)[0], 'gate') for name in everywhere.res_layers)


def test_a_block_of_users_builds_and_runs_its_plugins(gate):
    class Own(Bottleneck):
        def make_block_plugins(self, in_channels, plugins):
            plugins = [dict(cfg, factor=3.0) for cfg in plugins]
            return super().make_block_plugins(in_channels, plugins)

        def forward_plugin(self, x, plugin_names):
            seen.append(plugin_names)
            return super().forward_plugin(x, plugin_names)

    seen = []
    block = Own(32, 8, plugins=[dict(cfg=dict(type='Gate', postfix=2), position='after_conv3'),
                                dict(cfg=dict(type='Gate', postfix=1), position='after_conv2')])
    block(torch.randn(2, 32, 4, 4))
    assert [*dict(block.named_children())][-2:] == ['gate1', 'gate2']
    assert (block.gate1.in_channels, block.gate2.in_channels) == (8, 32)
    assert block.gate1.factor == block.gate2.factor == 3
    assert block.after_conv1_plugin_names == []
    assert seen == [['gate1'], ['gate2']]


def test_plugins_of_a_stage():
    first = dict(cfg=dict(type='Gate'), position='after_conv2', stages=(False, True, True, False))
    second = dict(cfg=dict(type='Other'), position='after_conv3')
    model = make()
    assert model.make_stage_plugins([first, second], 0) == [second]
    assert model.make_stage_plugins([first, second], 1) == [
        dict(cfg=dict(type='Gate'), position='after_conv2'), second]


def test_options_are_attributes():
    model = make(50, style='caffe', avg_down=True, with_cp=True, contract_dilation=True)
    assert (model.style, model.avg_down, model.with_cp, model.contract_dilation) == (
        'caffe', True, True, True)
    assert (model.feat_dim, model.inplanes) == (128, 128)


def test_an_unknown_depth_is_a_key_error():
    with pytest.raises(KeyError, match='no depth 20'):
        make(20)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(depth=20), 'ResNet has no depth 20: use one of 18, 34, 50, 101, 152'),
    (dict(num_stages=5), 'num_stages=5 must be 1, 2, 3 or 4'),
    (dict(strides=(1, 2, 2)), 'must have num_stages=4 numbers'),
    (dict(dilations=(1, 1, 2)), 'must have num_stages=4 numbers'),
    (dict(stage_with_dcn=(True,)), 'stage_with_dcn'),
    (dict(out_indices=(0, 4)), 'out_indices=.* 0 to 3'),
    (dict(out_indices=()), 'out_indices='),
    (dict(frozen_stages=5), 'frozen_stages=5'),
    (dict(multi_grid=(1, 2, 4)), 'multi_grid=.* 2 blocks'),
    (dict(depth=50, style='tf'), "style='tf' is not known"),
    (dict(dcn=dict(type='DCN'), stage_with_dcn=(True,) * 4), 'take neither dcn nor plugins'),
    (dict(plugins=[dict(cfg=dict(type='Gate'), position='after_conv1')]), 'neither dcn nor plug'),
    (dict(plugins=[dict(type='Gate')]), 'needs cfg and position'),
    (dict(depth=50, plugins=[dict(cfg=dict(type='Gate'), position='after_conv1',
                                  stages=(True, True))]), 'for each stage'),
    (dict(depth=50, plugins=[dict(cfg=dict(type='Gate'), position='after_conv4')]),
     "'after_conv4' is not known"),
    (dict(depth=50, plugins=[dict(cfg=dict(type='Gate'), position='after_conv1'),
                             dict(cfg=dict(type='Gate'), position='after_conv2')]), 'postfix'),
    (dict(pretrained='a.pth', init_cfg=dict(type='Constant', val=1)), 'keep one of them')])
def test_options_that_cannot_be(gate, options, message):
    with pytest.raises(ConfigError, match=message):
        build_backbone({'type': 'ResNet', 'depth': 18, **SMALL, **options})
