"""Folding batch norms into convolutions changes no output."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import ConvModule, fuse_conv_bn
from mmcv_replace.runner import Sequential

BN = dict(type='BN')


def randomised(model):
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 1.5)
    return model.double().eval()


def count_norms(model):
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize(('build', 'left'), [
    (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()), 0),
    (lambda: nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)), 0),
    (lambda: ConvModule(3, 4, 3, norm_cfg=BN), 0),
    (lambda: ConvModule(3, 4, 3, conv_cfg=dict(type='Conv2dAdaptivePadding'), norm_cfg=BN), 0),
    (lambda: nn.Sequential(nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4)), 0),
    (lambda: nn.Sequential(nn.ConvTranspose2d(3, 6, 2, groups=3), nn.BatchNorm2d(6)), 1),
    (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)), 1),
    (lambda: nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)), 1),
    (lambda: ConvModule(3, 3, 3, norm_cfg=BN, order=('norm', 'conv', 'act')), 1),
    (lambda: ConvModule(3, 3, 3, norm_cfg=BN, order=('conv', 'act', 'norm')), 1),
    (lambda: ConvModule(3, 4, 3, norm_cfg=BN, with_spectral_norm=True), 1),
    (lambda: ConvModule(3, 4, 3, conv_cfg=dict(type='ConvWS'), norm_cfg=BN), 1),
    (lambda: ConvModule(3, 4, 3, conv_cfg=dict(type='ConvAWS'), norm_cfg=BN), 1),
])
def test_same_output(build, left):
    model = randomised(build())
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    expected = model(x)
    assert fuse_conv_bn(model) is model
    torch.testing.assert_close(model(x), expected)
    assert count_norms(model) == left


def test_fused_before_eval_it_computes_as_after():
    model = randomised(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()))
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    expected = model(x)
    fused = fuse_conv_bn(model.train())
    assert all(module.training for module in fused.modules())
    torch.testing.assert_close(fused.eval()(x), expected)
    assert count_norms(fused) == 0


def test_norms_of_the_batch_stay():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    assert count_norms(fuse_conv_bn(model.eval())) == 1


def test_a_convolution_before_two_norms_is_folded_into_each():
    shared = nn.Conv2d(3, 4, 3)
    model = randomised(nn.ModuleList(
        nn.Sequential(shared, nn.BatchNorm2d(4, affine=affine)) for affine in (True, False)))
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    expected = [part(x) for part in model]
    fuse_conv_bn(model)
    for part, values in zip(model, expected, strict=True):
        torch.testing.assert_close(part(x), values)


class OutOfOrder(nn.Module):
    """Names its layers in another order than it runs them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.last = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))

    def forward(self, x):
        return self.last(self.conv(self.norm(x)))


class Declared(nn.Module):
    """Declares that it runs its layers as they are named."""

    runs_in_order = True

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.last = Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))

    def forward(self, x):
        return self.last(self.norm(self.conv(x)))


class Heir(Declared):
    """Runs them otherwise."""

    def forward(self, x):
        return self.last(self.conv(self.norm(x)))


@pytest.mark.parametrize(('cls', 'left'), [(Declared, 0), (Heir, 1)])
def test_a_class_declares_the_order_and_its_subclasses_do_not_inherit_it(cls, left):
    model, x = randomised(cls()), torch.randn(2, 3, 6, 6, dtype=torch.float64)
    expected = model(x)
    torch.testing.assert_close(fuse_conv_bn(model, declared_only=True)(x), expected)
    assert count_norms(model) == left


def test_modules_that_may_run_in_another_order_can_be_left_out():
    model, x = randomised(OutOfOrder()), torch.randn(2, 3, 6, 6, dtype=torch.float64)
    expected = model(x)
    fuse_conv_bn(model, declared_only=True)
    torch.testing.assert_close(model(x), expected)
    assert count_norms(model) == 1
    fuse_conv_bn(model)
    assert count_norms(model) == 0
    assert not torch.allclose(model(x), expected)
