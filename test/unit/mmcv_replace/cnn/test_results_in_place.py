"""What the host's fast layers give may be changed in place, as what torch's own give."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn.utils import host_products, patch_conv
from mmcv_replace.cnn.utils.depthwise import split_depthwise
from mmcv_replace.cnn.utils.host_norm import use_host_norms
from mmcv_replace.cnn.utils.pointwise_conv import use_products
from mmcv_replace.cnn.utils.prelu import host_prelu
from mmcv_replace.cnn.utils.winograd_conv import use_winograd

# A layer, what makes it a fast one, the size of its map.
LAYERS = {
    'pointwise': (lambda: nn.Conv2d(32, 8, 1), use_products, (40, 40)),
    'pointwise without bias': (lambda: nn.Conv2d(32, 8, 1, bias=False), use_products, (40, 40)),
    'winograd': (lambda: nn.Conv2d(256, 256, 3, padding=1), use_winograd, (24, 24)),
    'phases': (lambda: nn.Conv2d(256, 256, 3, padding=12, dilation=12), use_winograd, (32, 32)),
    'patches': (lambda: nn.Conv2d(256, 512, 3, padding=1), use_winograd, (3, 4)),
    'depthwise': (lambda: nn.Conv2d(8, 8, 5, padding=4, dilation=2, groups=8), split_depthwise,
                  (20, 20)),
    'norm': (lambda: nn.BatchNorm2d(8), use_host_norms, (128, 129)),
    'prelu': (lambda: nn.PReLU(8), host_prelu, (20, 20)),
}


@pytest.fixture(autouse=True)
def fast_at_any_size(monkeypatch):
    monkeypatch.setattr(host_products, '_LEAST_WORK', 0)


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('name', LAYERS)
def test_gradients_after_a_change_in_place(name, memory_format):
    make, change, size = LAYERS[name]
    torch.manual_seed(0)
    layer = make()
    x = torch.randn(2, getattr(layer, 'in_channels', 8), *size).to(memory_format=memory_format)
    found = []
    for each in (layer, change(layer)):
        each.train()
        leaf = x.detach().requires_grad_()
        out = each(leaf)
        out += 1
        found.append((out, *torch.autograd.grad(out.square().mean(), [leaf, *each.parameters()])))
    for own, other in zip(*found, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-3, atol=1e-4)


def test_some_layers_take_their_own_way():
    """The sizes above are such that the fast forms run."""
    assert patch_conv.prefers_patches(torch.zeros(2, 256, 3, 4), torch.zeros(512, 256, 3, 3))
