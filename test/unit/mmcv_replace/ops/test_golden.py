"""Outputs and gradients of mmcv-full's compiled operators for the same inputs."""
import importlib.util
import json

import pytest
import torch

from mmcv_replace import ops
from mmcv_replace.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

RELATIVE = 1e-6


@pytest.fixture(scope='module')
def golden(shared_dir):
    file = shared_dir / 'reference/golden_ops/ops.json'
    if not file.is_file():
        pytest.skip(f'no {file.name}')
    return json.loads(file.read_text())['ops']


@pytest.fixture(scope='module')
def draw(shared_dir):
    """draw(name, *shape): values between -1 and 1 that the name decides."""
    path = shared_dir / 'reference/golden_tools/golden.py'
    spec = importlib.util.spec_from_file_location('golden', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda name, *shape: torch.from_numpy(module.uniform(name, shape))


def deform(draw):
    return draw('x', 2, 8, 11, 13), draw('off', 2, 36, 11, 13) * 2


def weight(draw):
    return draw('w', 6, 4, 3, 3) * 0.3


def rois():
    return torch.tensor([[0, 1, 2, 8, 9], [1, 0, 0, 12, 10], [1, 3.5, 2.25, 7.75, 6]]).double()


def attention(value, locations, weights):
    return multi_scale_deformable_attn_pytorch(
        value, torch.tensor([[6, 8], [3, 4]]), locations, weights)


CASES = {
    'deform_conv2d_pad1_g2_dg2': (
        lambda x, offset, w: ops.deform_conv2d(x, offset, w, 1, 1, 1, 2, 2),
        lambda draw: (*deform(draw), weight(draw))),
    'deform_conv2d_stride2_dil2': (
        lambda x, offset, w: ops.deform_conv2d(x, offset, w, 2, 2, 2, 1, 1),
        lambda draw: (deform(draw)[0], draw('off2', 2, 18, 6, 7) * 2,
                      draw('w2', 6, 8, 3, 3) * 0.3)),
    'modulated_deform_conv2d': (
        lambda x, offset, m, w, b: ops.modulated_deform_conv2d(x, offset, m, w, b, 1, 1, 1, 2, 2),
        lambda draw: (*deform(draw), torch.sigmoid(draw('mask', 2, 18, 11, 13) * 2),
                      weight(draw), draw('b', 6))),
    **{f'psa_mask_type{kind}': (
        lambda x, kind=kind: ops.PSAMask(kind, (5, 7))(x.float()).double(),
        lambda draw: (draw('psa', 2, 35, 6, 8),)) for kind in ('collect', 'distribute')},
    **{f'roi_align_{mode}': (
        lambda x, mode=mode: ops.roi_align(x, rois(), (3, 3), 0.5, 2, mode, True),
        lambda draw: (draw('x', 2, 8, 11, 13),)) for mode in ('avg', 'max')},
    'roi_pool': (lambda x: ops.roi_pool(x.float(), rois().float(), (3, 3), 0.5).double(),
                 lambda draw: (draw('x', 2, 8, 11, 13),)),
    'point_sample': (lambda x, points: ops.point_sample(x, points, align_corners=False),
                     lambda draw: (draw('x', 2, 8, 11, 13), (draw('pts', 2, 20, 2) + 1) / 2)),
    'multi_scale_deformable_attn': (attention, lambda draw: (
        draw('v', 2, 60, 4, 5), (draw('loc', 2, 7, 4, 2, 3, 2) + 1) / 2,
        torch.softmax(draw('aw', 2, 7, 4, 6), -1).view(2, 7, 4, 2, 3))),
    'carafe_naive': (
        lambda x, masks: ops.carafe_naive(x.float(), masks.float(), 5, 2, 2).double(),
        lambda draw: (draw('cf', 1, 4, 5, 6), torch.softmax(draw('cm', 1, 50, 10, 12), 1))),
}


def close(found, expected):
    expected = torch.tensor(expected, dtype=torch.float64)
    assert (found - expected).abs().max() <= RELATIVE * expected.abs().max()


def samples(tensor, count):
    return tensor.flatten()[::max(1, tensor.numel() // count)][:count]


@pytest.mark.parametrize('name', CASES)
def test_operator(golden, draw, name):
    if name not in golden:
        pytest.skip(f'no figures of {name}')
    run, inputs = CASES[name]
    expected = golden[name]
    inputs = [x.requires_grad_() for x in inputs(draw)]
    result = run(*inputs)
    assert list(result.shape) == expected['shape']
    result.backward(draw(f'{name}.grad', *result.shape))
    close(samples(result.detach(), 200), expected['y'])
    close(result.detach().norm(), expected['norm'])
    for x, norm, values in zip(inputs, expected['grads'], expected['grad_samples'], strict=True):
        close(x.grad.norm(), norm)
        close(samples(x.grad, 50), values)


def boxes(draw):
    corner = (draw('b1', 40, 2) + 1) * 40
    size = (draw('b2', 40, 2) + 1.2) * 15
    return torch.cat([corner, corner + size], 1).float(), ((draw('sc', 40) + 1) / 2).float()


def test_nms(golden, draw):
    assert ops.nms(*boxes(draw), 0.4)[1].tolist() == golden['nms_0.4']['keep']


def test_soft_nms(golden, draw):
    dets, keep = ops.soft_nms(*boxes(draw), 0.3, sigma=0.5, min_score=1e-3, method='linear')
    assert keep.tolist() == golden['soft_nms_linear']['keep']
    close(dets[:, 4], golden['soft_nms_linear']['scores'])


def test_all_figures_are_compared(golden):
    assert set(golden) <= {*CASES, 'nms_0.4', 'soft_nms_linear'}
