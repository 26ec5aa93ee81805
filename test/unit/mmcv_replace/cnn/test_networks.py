"""AlexNet, VGG and ResNet of mmcv.cnn: weights, maps, what is trained, pretrained weights."""
import hashlib

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import VGG, AlexNet, ResNet, fuse_conv_bn, make_res_layer, make_vgg_layer
from mmcv_replace.cnn.resnet import BasicBlock, Bottleneck

# Of the names and shapes of all weights, which published checkpoints have.
FINGERPRINTS = {
    'alexnet': (lambda: AlexNet(), '41fb1cf738f6'),
    'alexnet of 10 classes': (lambda: AlexNet(10), '6b174c8bd7a0'),
    'vgg11': (lambda: VGG(11), '7168bbb1289d'),
    'vgg13 with norms': (lambda: VGG(13, with_bn=True, num_stages=3, dilations=(1, 2, 2),
                                     out_indices=(0, 2), with_last_pool=False), '0f46f70abc84'),
    'vgg16 of 3 classes': (lambda: VGG(16, num_classes=3), '76a93222418f'),
    'vgg19': (lambda: VGG(19, True), '70440c28d4c2'),
    'resnet18': (lambda: ResNet(18), '8a1fbb28e76d'),
    'resnet34': (lambda: ResNet(34, num_stages=3, strides=(1, 2, 1), dilations=(1, 1, 2),
                                out_indices=(1, 2)), 'cc6c93b60d47'),
    'resnet50': (lambda: ResNet(50), '9ebdd8df3f89'),
    'resnet101': (lambda: ResNet(101), 'a2cf03cbc397'),
    'resnet152': (lambda: ResNet(152, style='caffe'), '3bd9cc52f5d7'),
}


@pytest.mark.parametrize('name', FINGERPRINTS)
def test_names_and_shapes_of_weights(name):
    build, expected = FINGERPRINTS[name]
    with torch.device('meta'):
        state = build().state_dict()
    text = repr([(key, tuple(value.shape)) for key, value in state.items()])
    assert hashlib.md5(text.encode()).hexdigest()[:12] == expected


@pytest.fixture
def without_values():
    """Networks have shapes, but neither weights nor the time that drawing them takes."""
    with torch.device('meta'):
        yield


def images(size=64):
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0), device='cpu')


def shapes(maps):
    return [tuple(each.shape[1:]) for each in maps]


def test_maps_of_a_resnet(without_values):
    x = torch.empty(2, 3, 64, 64)
    assert shapes(ResNet(18)(x)) == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
    dilated = ResNet(18, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), out_indices=(2, 3))
    assert shapes(dilated(x)) == [(256, 8, 8), (512, 8, 8)]
    assert dilated.layer4[1].conv1.dilation == (4, 4)
    assert ResNet(18, out_indices=(0,))(x).shape == (2, 64, 16, 16)


def test_maps_of_a_vgg(without_values):
    x = torch.empty(2, 3, 64, 64)
    assert shapes(VGG(11)(x)) == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4),
                                  (512, 2, 2)]
    assert shapes(VGG(11, out_indices=(3, 4), with_last_pool=False)(x)) == [(512, 4, 4)] * 2
    odd = torch.empty(2, 3, 33, 33)
    assert VGG(11, out_indices=(0,), ceil_mode=True)(odd).shape == (2, 64, 17, 17)
    dilated = VGG(11, num_stages=2, dilations=(1, 3), out_indices=(1,))
    assert dilated.features[3].dilation == dilated.features[3].padding == (3, 3)
    scores = VGG(11, num_classes=4, out_indices=(4,))(torch.empty(2, 3, 224, 224))
    assert shapes(scores) == [(512, 7, 7), (4,)]


def test_maps_of_alexnet(without_values):
    assert AlexNet()(torch.empty(2, 3, 64, 64)).shape == (2, 256, 1, 1)
    assert AlexNet(10)(torch.empty(2, 3, 224, 224)).shape == (2, 10)


def test_a_block_is_relu_of_residual_plus_shortcut():
    x = images()
    x = torch.cat([x, x])[:, :2].repeat(1, 2, 1, 1)
    for block in (make_res_layer(Bottleneck, 4, 2, 1, stride=2),
                  make_res_layer(BasicBlock, 4, 8, 1)):
        (block,) = block.eval()
        z = x
        for number in range(1, 4 if block.expansion == 4 else 3):
            conv, norm = getattr(block, f'conv{number}'), getattr(block, f'bn{number}')
            z = norm(conv(z))
            if number < (3 if block.expansion == 4 else 2):
                z = z.clamp(min=0)
        torch.testing.assert_close(block(x), (z + block.downsample(x)).clamp(min=0))


@pytest.mark.parametrize(('style', 'strides'), [('pytorch', (1, 2)), ('caffe', (2, 1))])
def test_styles(style, strides):
    first, second = make_res_layer(Bottleneck, 8, 4, 2, stride=2, dilation=3, style=style)
    assert (first.conv1.stride[0], first.conv2.stride[0]) == strides
    assert first.conv2.dilation == second.conv2.dilation == (3, 3)
    assert second.stride == 1
    assert second.downsample is None


@pytest.mark.parametrize('block', [BasicBlock, Bottleneck])
def test_checkpointing_changes_nothing(block):
    results = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        stage = make_res_layer(block, 3, 4, 2, with_cp=with_cp)
        x = images(8).requires_grad_()
        seen = []
        stage[1].conv1.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        stage(x).square().mean().backward()
        assert len(seen) == 1 + with_cp
        results.append((x.grad, stage[0].conv1.weight.grad))
    for plain, saving in zip(*results, strict=True):
        assert torch.equal(plain, saving)
    assert ResNet(18, with_cp=True).layer1[0].with_cp


def test_layers_of_a_vgg_stage():
    layers = make_vgg_layer(3, 4, 2, dilation=2, with_bn=True, ceil_mode=True)
    kinds = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert [type(layer) for layer in layers] == [*kinds, *kinds, nn.MaxPool2d]
    assert layers[3].in_channels == 4
    assert layers[-1].ceil_mode


NETS = {'resnet': lambda **options: ResNet(18, **options),
        'vgg': lambda **options: VGG(11, with_bn=True, **options)}


def in_training(net):
    """Names of the norms that take the statistics of the batch."""
    return [name for name, module in net.named_modules()
            if isinstance(module, nn.BatchNorm2d) and module.training]


def trained(net):
    return {name for name, parameter in net.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize('build', NETS.values(), ids=NETS)
def test_norms_in_training(without_values, build):
    everything = {name for name, _ in build().named_parameters()}
    norms = {f'{name}.{kind}' for name, module in build().named_modules()
             if isinstance(module, nn.BatchNorm2d) for kind in ('weight', 'bias')}
    held, frozen, free = (build(**options) for options in (
        {}, dict(bn_frozen=True), dict(bn_eval=False, bn_frozen=True)))
    for net in (held, frozen, free):
        assert net.train() is net
        assert net.training
    assert in_training(held) == in_training(frozen) == []
    assert trained(held) == trained(free) == everything
    assert trained(frozen) == everything - norms
    assert f'{in_training(free)[-1]}.weight' in norms
    assert in_training(free.eval()) == []


@pytest.mark.parametrize(('build', 'parts'), [
    (NETS['resnet'], (('conv1', 'bn1'), ('conv1', 'bn1', 'layer1'),
                      ('conv1', 'bn1', 'layer1', 'layer2'))),
    (NETS['vgg'], ((), ('features.0', 'features.1'),
                   ('features.0', 'features.1', 'features.4', 'features.5')))],
    ids=NETS)
def test_frozen_stages(without_values, build, parts):
    for number, names in enumerate(parts):
        net = build(frozen_stages=number, bn_eval=False).train()
        frozen = {name for name, _ in net.named_parameters()
                  if name.startswith(tuple(f'{part}.' for part in names))}
        assert len(frozen) >= len(names)
        assert trained(net) == {name for name, _ in net.named_parameters()} - frozen
        norms = in_training(net)
        assert norms
        assert not any(f'{name}.weight' in frozen for name in norms)


def test_drawn_weights():
    torch.manual_seed(0)
    net = VGG(11, with_bn=True)
    net.classifier = nn.Sequential(nn.Linear(200, 100))
    for norm in (module for module in net.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.weight.data.fill_(3)
    net.init_weights()
    conv, norm, linear = net.features[8], net.features[9], net.classifier[0]
    assert conv.weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    assert not conv.bias.any()
    assert (norm.weight == 1).all()
    assert linear.weight.std().item() == pytest.approx(0.01, rel=0.02)
    net = ResNet(18)
    net.bn1.weight.data.fill_(3)
    net.init_weights()
    assert (net.bn1.weight == 1).all()
    weight = net.layer4[1].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.02)


@pytest.mark.parametrize('build', [AlexNet, lambda: VGG(11), lambda: ResNet(18)])
def test_pretrained_weights(build, tmp_path):
    source, net = build(), build()
    torch.save(source.state_dict(), tmp_path / 'weights.pth')
    net.init_weights(pretrained=str(tmp_path / 'weights.pth'))
    assert all(torch.equal(value, net.state_dict()[key])
               for key, value in source.state_dict().items())
    with pytest.raises(TypeError, match='pretrained=5'):
        net.init_weights(pretrained=5)


def test_alexnet_without_pretrained_weights_keeps_its_own():
    net = AlexNet()
    before = net.features[0].weight.clone()
    net.init_weights()
    assert torch.equal(net.features[0].weight, before)


@pytest.mark.parametrize(('build', 'error', 'words'), [
    (lambda: VGG(12), KeyError, 'depth 12: use one of 11, 13, 16, 19'),
    (lambda: ResNet(12), KeyError, 'depth 12: use one of 18, 34'),
    (lambda: VGG(11, num_stages=6, dilations=(1,) * 6), AssertionError, 'num_stages=6'),
    (lambda: VGG(11, dilations=(1,)), AssertionError, r'dilations=\(1,\)'),
    (lambda: VGG(11, out_indices=(6,)), AssertionError, r'out_indices=\(6,\)'),
    (lambda: ResNet(18, num_stages=0, strides=(), dilations=()), AssertionError, 'num_stages=0'),
    (lambda: ResNet(18, strides=(1,)), AssertionError, r'strides=\(1,\)'),
    (lambda: ResNet(18, out_indices=(4,)), AssertionError, r'out_indices=\(4,\)'),
    (lambda: ResNet(50, style='x'), AssertionError, "style='x'"),
    (lambda: ResNet(18, style='x'), AssertionError, "style='x'"),
])
def test_wrong_settings(without_values, build, error, words):
    with pytest.raises(error, match=words):
        build()


@pytest.mark.parametrize(('block', 'left'), [(BasicBlock, 0), (Bottleneck, 3)])
def test_folding_of_norms_leaves_bottlenecks(block, left):
    stage = make_res_layer(block, 3, 4, 1).eval()
    for module in stage.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
    expected = stage(images(8))
    torch.testing.assert_close(fuse_conv_bn(stage)(images(8)), expected)
    # The shortcut is an nn.Sequential, and folded.
    assert sum(isinstance(module, nn.BatchNorm2d) for module in stage.modules()) == left
