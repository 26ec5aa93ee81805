"""PSPHead with the pyramid fused into its convolution, against the plain form of itself."""
import pytest
import torch
from torch import nn

from mmseg.models import build_head


def make(**options):
    torch.manual_seed(0)
    return build_head(dict(
        type='PSPHead', in_channels=16, in_index=0, channels=8, num_classes=5,
        norm_cfg=dict(type='BN'), dropout_ratio=0, align_corners=False, **options))


def pair(**options):
    plain, fused = make(fuse_pyramid=False, **options), make(**options)
    fused.load_state_dict(plain.state_dict())
    return plain, fused


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


@pytest.mark.parametrize('options', [{}, dict(align_corners=True), dict(pool_scales=(1, 5)),
                                     dict(norm_cfg=None), dict(act_cfg=None)])
@pytest.mark.parametrize('size', [(16, 16), (23, 9)])
@pytest.mark.parametrize('training', [True, False])
def test_both_forms_agree(options, size, training):
    options = {'align_corners': False, 'norm_cfg': dict(type='BN'), **options}
    torch.manual_seed(0)
    heads = [build_head(dict(type='PSPHead', in_channels=16, in_index=0, channels=8,
                             num_classes=5, dropout_ratio=0, fuse_pyramid=fuse, **options))
             for fuse in (False, True)]
    heads[1].load_state_dict(heads[0].state_dict())
    results = []
    data = torch.randn(2, 16, *size)
    for head in heads:
        x = data.clone().requires_grad_()
        out = head.train(training)([x])
        out.square().mean().backward()
        results.append((out.detach(), x.grad, *(p.grad for p in head.parameters())))
    for plain, fused in zip(*results, strict=True):
        assert relative(fused, plain) < 1e-5 or (fused - plain).abs().max() < 1e-6


def test_the_state_is_the_same():
    plain, fused = pair()
    assert list(plain.state_dict()) == list(fused.state_dict())


class Count(torch.utils._python_dispatch.TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.widest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.cat.default and out.dim() == 4:
            self.widest = max(self.widest, out.shape[1])
        return out


def test_nothing_is_concatenated():
    plain, fused = pair()
    widest = []
    for head in (plain, fused):
        with torch.no_grad(), Count() as count:
            head.eval()([torch.randn(1, 16, 12, 12)])
        widest.append(count.widest)
    # Of the fused one, only rows of the results (8 channels) come together.
    assert widest == [16 + 4 * 8, 8]


def test_a_convolution_of_another_kind_or_with_hooks_stays_itself():
    for change in ('hook', 'padding', 'class'):
        plain, head = pair()
        conv = head.bottleneck.conv
        if change == 'hook':
            conv.register_forward_hook(lambda module, args, out: out)
        elif change == 'padding':
            conv.padding_mode = 'reflect'
        else:
            class Mine(nn.Conv2d):
                pass
            conv.__class__ = Mine
        with torch.no_grad(), Count() as count:
            head.eval()([torch.randn(1, 16, 12, 12)])
        assert count.widest == 16 + 4 * 8, change


def test_under_autocast():
    plain, fused = (head.eval() for head in pair())
    x = torch.randn(2, 16, 16, 16)
    with torch.no_grad():
        expected = plain([x])
        with torch.autocast('cpu', torch.bfloat16):
            ours = fused([x])
    assert ours.dtype is torch.bfloat16
    assert relative(ours.float(), expected) < 0.03


def test_channels_last():
    plain, fused = (head.eval() for head in pair())
    x = torch.randn(2, 16, 16, 16)
    with torch.no_grad():
        ours = fused.to(memory_format=torch.channels_last)(
            [x.to(memory_format=torch.channels_last)])
        assert relative(ours, plain([x])) < 1e-5
