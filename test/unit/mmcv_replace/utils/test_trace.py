"""Graphs that are stored, and that torch has nothing to say of them that no user can act on."""
import io
import subprocess
import sys

import pytest
import torch

from mmcv_replace.utils.trace import apply

LAYERS = '''
import io, warnings
import torch
warnings.simplefilter('error', torch.jit.TracerWarning)
from mmcv_replace.ops import (CARAFEPack, CornerPool, CrissCrossAttention, DeformConv2dPack,
                              MultiScaleDeformableAttention, PSAMask)
from mmseg.ops import Encoding

torch.manual_seed(0)
sizes = torch.tensor([[5, 4]])
attention = dict(reference_points=torch.rand(1, 20, 1, 2), spatial_shapes=sizes,
                 level_start_index=torch.tensor([0]))


class Attention(MultiScaleDeformableAttention):
    def forward(self, x):
        return super().forward(x.flatten(2).permute(2, 0, 1), **attention)


for layer in (CARAFEPack(8, 2), CornerPool('top'), CrissCrossAttention(8),
              DeformConv2dPack(8, 4, 3, padding=1), Encoding(8, 3), PSAMask('collect', (2, 4)),
              Attention(8, 2, 1)):
    for parameter in layer.parameters():
        torch.nn.init.uniform_(parameter, -0.5, 0.5)
    layer.eval()
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(layer, torch.rand(1, 8, 5, 4)), file)
    file.seek(0)
    x = torch.rand(1, 8, 5, 4)
    torch.testing.assert_close(torch.jit.load(file)(x), layer(x), msg=type(layer).__name__)
'''


class Doubled(torch.autograd.Function):
    """With a gradient that its operations would not have, to tell which is taken."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 5


def double(x):
    return apply(Doubled, x)


def slope(function):
    x = torch.ones(1, requires_grad=True)
    y = function(x)
    assert y.tolist() == [2]
    y.backward()
    return x.grad.item()


def test_functions_apply_unless_the_graph_is_stored():
    assert slope(double) == 5
    assert slope(torch.compile(double, backend='aot_eager', fullgraph=True)) == 5


@pytest.mark.filterwarnings('ignore:`torch.jit:DeprecationWarning')  # torch's own
def test_stored_graphs_have_the_operations():
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(double, torch.zeros(1)), file)
    file.seek(0)
    assert slope(torch.jit.load(file)) == 2
    module = torch.nn.Module()
    module.forward = double
    assert slope(torch.export.export(module, (torch.zeros(1),)).module()) == 2


def test_layers_are_traced_without_a_warning(repo_dir):
    done = subprocess.run([sys.executable, '-c', LAYERS], capture_output=True, text=True,
                          check=False, cwd=repo_dir)
    assert done.returncode == 0, done.stderr
    assert 'TracerWarning' not in done.stderr
