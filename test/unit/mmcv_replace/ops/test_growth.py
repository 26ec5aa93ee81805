"""The largest tensor of an operator grows as the number of pixels, in either pass.

What would hold a number for each pair of pixels shows already on small maps. The exceptions are the
result of PSAMask, and the energies of CrissCrossAttention, of a pixel with its row and column.
"""
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mmcv_replace import ops
from mmcv_replace.ops.kernels import plain_operators
from mmcv_replace.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch
from mmseg.ops import Encoding

from .op_cases import uniform

C = 8


def maps(side, channels=C, seed=0):
    return uniform(1, channels, side, side, seed=seed).float()


def boxes(side):
    low = torch.arange(40.).view(-1, 1) / 80 * side
    return torch.cat([low * 0, low, low, low + side / 5, low + side / 4], 1)


def classes(side):
    return torch.zeros(1, side, side, dtype=torch.int64)


def attend(value, locations, weights):
    side = int(value.shape[1] ** 0.5)
    return multi_scale_deformable_attn_pytorch(value, [(side, side)], locations, weights)


# Calls, and their inputs for maps of a side.
CALLS = {
    'carafe': (lambda x, masks: ops.carafe(x, masks, 3, 1, 2),
               lambda n: [maps(n), maps(2 * n, 9)]),
    'corner_pool': (ops.CornerPool('top'), lambda n: [maps(n)]),
    'deform_conv2d': (lambda *x: ops.deform_conv2d(*x, 1, 1),
                      lambda n: [maps(n), maps(n, 18), uniform(C, C, 3, 3).float()]),
    'modulated_deform_conv2d': (
        lambda *x: ops.modulated_deform_conv2d(*x, None, 1, 1),
        lambda n: [maps(n), maps(n, 18), maps(n, 9), uniform(C, C, 3, 3).float()]),
    'Encoding': (Encoding(C, 4), lambda n: [maps(n)]),
    'sigmoid_focal_loss': (lambda x: ops.sigmoid_focal_loss(x, classes(len(x[0, 0]))),
                           lambda n: [maps(n)]),
    'softmax_focal_loss': (lambda x: ops.softmax_focal_loss(x, classes(len(x[0, 0]))),
                           lambda n: [maps(n)]),
    'masked_conv2d': (lambda x, weight: ops.masked_conv2d(x, x[:, 0], weight, None, 1),
                      lambda n: [maps(n), uniform(C, C, 3, 3).float()]),
    'SumCell': (ops.SumCell(C, C), lambda n: [maps(n), maps(n // 2)]),
    'multi_scale_deformable_attn': (attend, lambda n: [
        uniform(1, n * n, 2, 4).float(), uniform(1, n * n, 2, 1, 4, 2).float(),
        uniform(1, n * n, 2, 1, 4).float()]),
    'point_sample': (ops.point_sample, lambda n: [maps(n), uniform(1, n * n, 2).float()]),
    'SimpleRoIAlign': (lambda x: ops.SimpleRoIAlign(7, 1.)(x, boxes(len(x[0, 0]))),
                       lambda n: [maps(n)]),
    **{f'roi_align-{ratio}-{mode}': (
        lambda x, ratio=ratio, mode=mode: ops.roi_align(
            x, boxes(len(x[0, 0])), 7, 1., ratio, mode), lambda n: [maps(n)])
       for ratio in (0, 2) for mode in ('avg', 'max')},
    'roi_pool': (lambda x: ops.roi_pool(x, boxes(len(x[0, 0])), 7), lambda n: [maps(n)]),
    'SAConv2d': (ops.SAConv2d(C, C, 3, padding=1, bias=False, use_deform=True),
                 lambda n: [maps(n)]),
    'tin_shift': (lambda x: ops.tin_shift(x.unflatten(1, (2, -1)).flatten(3),
                                          torch.ones(1, 2, dtype=torch.int32)),
                  lambda n: [maps(n)]),
    'CrissCrossAttention': (ops.CrissCrossAttention(C), lambda n: [maps(n)]),
    'PSAMask': (lambda x: ops.PSAMask('collect', 5)(x), lambda n: [maps(n, 25)]),
}


class Largest(TorchDispatchMode):
    """The bytes of the largest tensor."""

    def __init__(self):
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.bytes = max([self.bytes, *(x.untyped_storage().nbytes() for x in tree_leaves(result)
                                        if isinstance(x, torch.Tensor))])
        return result


def largest(call, inputs):
    inputs = [x.requires_grad_() for x in inputs]
    seen = Largest()
    with plain_operators(), seen:
        torch.autograd.grad(call(*inputs).sum(), inputs)
    return seen.bytes


@pytest.mark.parametrize('name', CALLS)
def test_no_tensor_for_pairs_of_pixels(name):
    call, draw = CALLS[name]
    small, large = (largest(call, draw(side)) for side in (16, 32))
    assert large <= {'PSAMask': 16.1, 'CrissCrossAttention': 8.1}.get(name, 4.1) * small


def test_what_grows_faster_is_noticed():
    def pairs(x):
        flat = x.flatten(2)
        return (flat.transpose(1, 2) @ flat).softmax(2)

    small, large = (largest(pairs, [maps(side)]) for side in (16, 32))
    assert large == 16 * small
