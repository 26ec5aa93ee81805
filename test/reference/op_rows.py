"""The operators that op_timing.py runs, with sizes of configs that use them."""
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

import naive_ops
import torch

LEVELS = ((64, 64), (32, 32), (16, 16), (8, 8))


@dataclass
class Row:
    """An operator: `call(ops)` is it as a function of `inputs()`, `ops` the package with mmcv's
    names; `others` has it for sides that have other names. Modules are made by `call`.
    """

    sizes: str
    inputs: Callable
    call: Callable
    others: dict = field(default_factory=dict)
    differentiable: bool = True


def prepare(row, side):
    """The operator of a side as a function of tensors, and these."""
    inputs = [x.requires_grad_(row.differentiable) if x.is_floating_point() else x
              for x in row.inputs()]
    if side in ('ours', 'plain', 'mmcv'):
        call = row.call(import_module('mmcv.ops' if side == 'mmcv' else 'mmcv_replace.ops'))
    elif side not in row.others:
        raise NotImplementedError(f'no {side} form of it')
    else:
        call = row.others[side]
        call = call(import_module('torchvision.ops')) if side == 'torchvision' else call

    if side == 'plain':
        from mmcv_replace.ops.kernels import plain_operators as context
    else:
        context = contextlib.nullcontext

    def run(*tensors):
        with context():
            return call(*tensors)

    return run, inputs


def psa_mask(kind):
    return Row('[2, 97 * 97, 32, 32]', lambda: [torch.rand(2, 97 * 97, 32, 32)],
               lambda ops: ops.PSAMask(kind, (97, 97)),
               {'naive': partial(naive_ops.psa_mask, kind=kind)})


def deform_conv(channels, modulated):
    def inputs():
        offset = 2 * torch.randn(2, 18, 64, 64)
        mask = [torch.rand(2, 9, 64, 64)] if modulated else []
        weight = torch.randn(channels, channels, 3, 3) / channels
        return [torch.randn(2, channels, 64, 64), offset, *mask, weight]

    def call(ops):
        if modulated:
            return lambda x, offset, mask, weight: ops.modulated_deform_conv2d(
                x, offset, mask, weight, None, 1, 1, 1, 1, 1)
        return lambda x, offset, weight: ops.deform_conv2d(x, offset, weight, 1, 1, 1, 1, 1)

    def torchvision(ops):
        return lambda x, offset, *rest: ops.deform_conv2d(
            x, offset, rest[-1], padding=1, mask=rest[0] if modulated else None)

    return Row(f'[2, {channels}, 64, 64], 3 x 3', inputs, call,
               {'naive': naive_ops.deform_conv2d, 'torchvision': torchvision})


def carafe(groups):
    return Row(f'[2, 256, 32, 32], x 2, 5 x 5, {groups} groups',
               lambda: [torch.randn(2, 256, 32, 32),
                        torch.rand(2, groups * 25, 64, 64).softmax(1)],
               lambda ops: lambda x, masks: ops.carafe_naive(x, masks, 5, groups, 2),
               {'naive': lambda x, masks: naive_ops.carafe(x, masks, 5, groups, 2)})


def boxes(count, side=512.):
    """Corners [count, 4] within an image."""
    corner = torch.rand(count, 2) * side * 0.7
    return torch.cat([corner, corner + 8 + torch.rand(count, 2) * side * 0.25], 1)


def roi(operator, *options):
    """A pooling of regions; `options` follow mmcv's size and scale."""
    rois = torch.cat([torch.arange(256.).view(-1, 1) % 2, boxes(256)], 1)

    def torchvision(ops):
        if operator == 'roi_pool':
            return lambda x: ops.roi_pool(x, rois, 7, 0.25)
        return lambda x: ops.roi_align(x, rois, 7, 0.25, options[0] or -1, options[2])

    others = {} if 'max' in options else {'torchvision': torchvision}
    return Row(
        '256 boxes on [2, 256, 128, 128], 7 x 7', lambda: [torch.randn(2, 256, 128, 128)],
        lambda ops: lambda x: getattr(ops, operator)(x, rois, (7, 7), 0.25, *options), others)


def suppression(call, **others):
    return Row('2000 boxes', lambda: [boxes(2000), torch.rand(2000)], call, others,
               differentiable=False)


def focal_loss(name):
    return Row('[50000, 80]',
               lambda: [torch.randn(50000, 80), torch.randint(80, (50000,))],
               lambda ops: lambda x, target: getattr(ops, name)(x, target, 2., 0.25, None, 'mean'),
               {'naive': getattr(naive_ops, name)})


def attention():
    def inputs():
        positions = sum(h * w for h, w in LEVELS)
        weights = torch.rand(2, positions, 8, len(LEVELS) * 4).softmax(-1)
        return [torch.randn(2, positions, 8, 32), torch.rand(2, positions, 8, len(LEVELS), 4, 2),
                weights.view(2, positions, 8, len(LEVELS), 4)]

    def call(ops):
        function = import_module(f'{ops.__name__}.multi_scale_deform_attn')
        shapes = torch.tensor(LEVELS)
        return lambda value, locations, weights: function.multi_scale_deformable_attn_pytorch(
            value, shapes, locations, weights)

    return Row('levels 64, 32, 16, 8; 8 heads of 32; 4 points; all positions ask', inputs, call,
               {'naive': partial(naive_ops.attention, LEVELS)})


def encoding():
    def call(ops):
        if not ops.__name__.startswith('mmcv_replace'):
            raise AttributeError('Encoding is in mmseg.ops')
        return import_module('mmseg.ops').Encoding(512, 32)

    return Row('[2, 512, 64, 64], 32 codes', lambda: [torch.randn(2, 512, 64, 64)], call,
               {'naive': naive_ops.make_encoding(512, 32)})


ROWS = {
    'psa_mask_collect': psa_mask('collect'),
    'psa_mask_distribute': psa_mask('distribute'),
    'criss_cross_attention': Row(
        '[2, 512, 64, 64]', lambda: [torch.randn(2, 512, 64, 64)],
        lambda ops: ops.CrissCrossAttention(512)),
    **{f'{"modulated_" if modulated else ""}deform_conv2d_{channels}': deform_conv(
        channels, modulated) for channels in (256, 512) for modulated in (False, True)},
    'carafe': carafe(1),
    'carafe_groups': carafe(4),
    'roi_align': roi('roi_align', 2, 'avg', True),
    'roi_align_adaptive': roi('roi_align', 0, 'avg', True),
    'roi_align_max': roi('roi_align', 2, 'max', True),
    'roi_pool': roi('roi_pool'),
    'nms': suppression(lambda ops: lambda box, score: ops.nms(box, score, 0.5),
                       torchvision=lambda ops: lambda box, score: ops.nms(box, score, 0.5),
                       naive=lambda box, score: naive_ops.nms(box, score, 0.5)),
    'batched_nms': suppression(
        lambda ops: lambda box, score: ops.batched_nms(
            box, score, torch.arange(2000) % 20, dict(type='nms', iou_threshold=0.5)),
        torchvision=lambda ops: lambda box, score: ops.batched_nms(
            box, score, torch.arange(2000) % 20, 0.5)),
    'soft_nms': suppression(lambda ops: lambda box, score: ops.soft_nms(box, score, 0.3)),
    'bbox_overlaps': Row(
        '2000 x 2000 boxes', lambda: [boxes(2000), boxes(2000)], lambda ops: ops.bbox_overlaps,
        {'naive': naive_ops.overlaps, 'torchvision': lambda ops: ops.box_iou},
        differentiable=False),
    'sigmoid_focal_loss': focal_loss('sigmoid_focal_loss'),
    'softmax_focal_loss': focal_loss('softmax_focal_loss'),
    'multi_scale_deform_attn': attention(),
    'encoding': encoding(),
    'point_sample': Row(
        '8192 points on [2, 21, 128, 128]',
        lambda: [torch.randn(2, 21, 128, 128), torch.rand(2, 8192, 2)],
        lambda ops: ops.point_sample, {'naive': naive_ops.point_sample}),
    'masked_conv2d': Row(
        '[1, 256, 64, 64], 3 x 3, 30% of the pixels',
        lambda: [torch.randn(1, 256, 64, 64), (torch.rand(1, 64, 64) < 0.3).float()],
        lambda ops: ops.MaskedConv2d(256, 256, 3, padding=1), differentiable=False),
    'corner_pool': Row(
        '[2, 256, 128, 128]', lambda: [torch.randn(2, 256, 128, 128)],
        lambda ops: ops.CornerPool('top'), {'naive': naive_ops.top_pool}),
    'tin_shift': Row(
        '[2, 8, 256, 32 * 32], 4 groups',
        lambda: [torch.randn(2, 8, 256, 32 * 32), torch.tensor([[-1, 0, 1, 2], [3, -2, 0, 1]])],
        lambda ops: lambda x, shift: ops.tin_shift(x, shift.int())),
}
