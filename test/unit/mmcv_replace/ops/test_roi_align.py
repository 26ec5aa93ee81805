"""What is particular to RoIAlign: modules, errors, and RoIs that are not as they should be."""
import sys

import pytest
import torch

from mmcv_replace.ops import RoIAlign, roi_align, roi_pool
from mmcv_replace.ops.roi import chunks, mean
from mmcv_replace.utils.errors import ArgumentError, MissingModuleError, UsageError

from .cases.roi_align import BOXES, plain_roi_align
from .op_cases import uniform

NAN, INF = float('nan'), float('inf')


@pytest.fixture
def x():
    return uniform(2, 20, 7, 6)


def test_module(x):
    rois = torch.tensor(BOXES).double()
    layer = RoIAlign((3, 2), 0.5, 2, 'max', False)
    assert repr(layer) == ('RoIAlign(output_size=(3, 2), spatial_scale=0.5, sampling_ratio=2, '
                           'pool_mode=max, aligned=False, use_torchvision=False)')
    assert torch.equal(layer(x, rois), roi_align(x, rois, (3, 2), 0.5, 2, 'max', False))
    default = RoIAlign(7)
    assert repr(default) == ('RoIAlign(output_size=(7, 7), spatial_scale=1.0, sampling_ratio=0, '
                             'pool_mode=avg, aligned=True, use_torchvision=False)')
    assert torch.equal(default(x, rois), roi_align(x, rois, 7))
    assert not list(default.state_dict())


def test_torchvision_has_to_be_there(x, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torchvision.ops', None)
    layer = RoIAlign(2, use_torchvision=True)
    with pytest.raises(MissingModuleError, match=r'use_torchvision=True\) needs torchvision.ops'):
        layer(x, torch.zeros(1, 5))


def test_a_torchvision_of_another_torch_does_not_load(x, monkeypatch, tmp_path):
    (tmp_path / 'torchvision').mkdir()
    (tmp_path / 'torchvision/__init__.py').write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split('.')[0] == 'torchvision']:
        monkeypatch.delitem(sys.modules, name)
    layer = RoIAlign(2, use_torchvision=True)
    with pytest.raises(MissingModuleError, match=r'::nms does not exist.*of this torch'):
        layer(x, torch.zeros(1, 5))


def test_torchvision_has_no_maximum():
    with pytest.raises(ArgumentError, match="pool_mode='max' has no counterpart in torchvision"):
        RoIAlign(2, pool_mode='max', use_torchvision=True)


@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('mode', ['avg', 'max'])
def test_equal_to_torchvision_where_it_is_installed(x, ratio, mode):
    vision = pytest.importorskip('torchvision.ops')
    rois = torch.tensor(BOXES).double()
    expected = vision.roi_align(x, rois, (3, 2), 0.5, ratio, True)
    found = roi_align(x, rois, (3, 2), 0.5, ratio)
    torch.testing.assert_close(found, expected)
    used = RoIAlign((3, 2), 0.5, ratio, use_torchvision=True)(x, rois)
    assert torch.equal(used, expected)
    from mmcv_replace.ops.kernels.vision import roi_align as kernel
    from mmcv_replace.ops.roi.samples import Grid
    result = kernel(x, rois, Grid((3, 2), 0.5, ratio, True), mode)
    assert result is NotImplemented if mode == 'max' else torch.equal(result, expected)


@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('mode', ['avg', 'max'])
def test_nothing_to_sample(x, ratio, mode):
    x.requires_grad_()
    out = roi_align(x, torch.zeros(0, 5).double(), (3, 2), 1.0, ratio, mode)
    assert out.shape == (0, 20, 3, 2)
    out.sum().backward()
    assert not x.grad.any()
    for empty in (x[:, :, :0], x[:, :0]):
        out = roi_align(empty, torch.zeros(2, 5).double(), (3, 2), 1.0, ratio, mode)
        assert out.shape == (2, empty.shape[1], 3, 2)
        assert not out.any()
    assert roi_align(x[:0], torch.zeros(0, 5).double(), 2, 1.0, ratio, mode).shape == (0, 20, 2, 2)


@pytest.mark.parametrize('aligned', [True, False])
def test_positions_that_are_no_numbers(x, aligned):
    rois = torch.tensor([[0, NAN, 0, 4, 4], [1, 0, 0, INF, 4], [0, NAN, NAN, NAN, NAN],
                         [0, 0, 0, 4, 1e9]]).double()
    x.requires_grad_()
    for mode in ('avg', 'max'):
        fixed = roi_align(x, rois, 2, 1.0, 2, mode, aligned)
        assert fixed[[0, 2]].isnan().all()
        grid = roi_align(x, rois, 2, 1.0, 0, mode, aligned)
        assert (grid[:3] == (0 if mode == 'avg' else -10000)).all()
        grid[:3].sum().backward(retain_graph=True)
        fixed.sum().backward()


def test_a_box_without_a_size_has_no_samples(x):
    rois = torch.tensor([[0, 3, 3, 3, 3.]]).double()
    assert (roi_align(x, rois, 2) == 0).all()
    assert (roi_align(x, rois, 2, pool_mode='max') == -10000).all()
    assert roi_align(x, rois, 2, aligned=False).abs().amax() > 0


def test_the_largest_does_not_go_below_minus_10000(x):
    rois = torch.tensor([[0, 1, 1, 3, 3.]]).double()
    low = (x - 20000).requires_grad_()
    out = roi_align(low, rois, 2, 1.0, 2, 'max')
    assert (out == -10000).all()
    out.sum().backward()
    assert not low.grad.any()


@pytest.mark.parametrize('mode', ['avg', 'max'])
@pytest.mark.parametrize('ratio', [0, 2])
def test_many_groups_give_the_same(x, mode, ratio, monkeypatch):
    rois = torch.tensor(BOXES * 3).double()
    options = (3, 2), 0.5, ratio, mode, True
    x.requires_grad_()
    monkeypatch.setattr(chunks, 'FEWEST', 1)
    found = roi_align(x, rois, *options)
    weights = uniform(*found.shape, seed=5)
    expected = plain_roi_align(x, rois, *options)
    torch.testing.assert_close(found, expected)
    grads = (torch.autograd.grad(y, x, weights)[0] for y in (found, expected))
    torch.testing.assert_close(*grads)


def test_gradients_of_many_groups_are_added_in_float32(x, monkeypatch):
    rois = torch.tensor(BOXES * 40).double()
    exact = x.clone().requires_grad_()
    out = roi_align(exact, rois, 2, 0.5, 2)
    out.sum().backward()
    monkeypatch.setattr(mean, 'most_elements', lambda *shapes: 1)
    low = x.bfloat16().requires_grad_()
    roi_align(low, rois.float(), 2, 0.5, 2).sum().backward()
    error = (low.grad.double() - exact.grad).abs().max() / exact.grad.abs().max()
    assert error < 2 ** -7


def test_boxes_of_very_different_size_share_no_group():
    sizes = torch.tensor([[1, 1], [20, 3], [2, 2], [18, 18], [1, 1]])
    found = chunks.sorted_chunks(sizes, lambda rows, columns: 1, 100, 'a test')
    assert [sorted(chunk.rois.tolist()) for chunk in found] == [[1, 3], [2], [0, 4]]
    assert [chunk[1:] for chunk in found] == [(20, 18), (2, 2), (1, 1)]


def test_wrong_arguments(x):
    rois = torch.zeros(1, 5)
    with pytest.raises(ArgumentError, match="pool_mode is 'min'; choose 'avg' or 'max'"):
        roi_align(x, rois, 2, pool_mode='min')
    with pytest.raises(AssertionError, match=r'shape \(1, 4\), and \[K, 5\] is wanted'):
        roi_align(x, rois[:, 1:], 2)
    with pytest.raises(ArgumentError, match=r'\[N, C, H, W\] is wanted'):
        roi_align(x[0], rois, 2)


@pytest.mark.parametrize('operator', [roi_align, roi_pool])
@pytest.mark.parametrize('output_size', [0, (2, -1), (2, 2, 2), 2.5])
def test_no_bins(x, operator, output_size):
    with pytest.raises(ArgumentError, match=r'roi_.*: output_size=.* from 1 on'):
        operator(x, torch.zeros(1, 5), output_size)


@pytest.mark.parametrize('operator', [roi_align, roi_pool])
def test_a_map_of_whole_numbers(x, operator):
    with pytest.raises(ArgumentError, match='the input is of torch.int64: convert it'):
        operator(x.long(), torch.zeros(1, 5), 2)


def test_an_export_needs_a_fixed_number_of_samples(x):
    class Layer(torch.nn.Module):
        def forward(self, x, rois):
            return roi_align(x, rois, 2)

    with pytest.raises(UsageError, match='sampling_ratio=0 of roi_align depends on the sizes'):
        torch.export.export(Layer(), (x, torch.tensor(BOXES).double()), strict=False)


def test_rois_keep_their_precision_beside_a_coarse_map(x):
    rois = torch.tensor([[0, 1.03125, 2.015625, 4.046875, 5.078125]])
    exact = roi_align(x, rois.double(), 2, 1.0, 2)
    coarse = roi_align(x.bfloat16(), rois, 2, 1.0, 2)
    rounded = roi_align(x, rois.bfloat16().double(), 2, 1.0, 2)
    assert (coarse - exact).abs().max() < (rounded - exact).abs().max()


def test_known_figures():
    """Those of mmcv's public test."""
    x = torch.tensor([[1., 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]])
    x = x.view(1, 1, 4, 4).requires_grad_()
    out = roi_align(x, torch.tensor([[0, 0, 0, 3, 3.]]), 2, 1.0, 2)
    assert out.tolist() == [[[[1.9375, 4.75], [7.5625, 10.375]]]]
    out.sum().backward()
    sides = torch.tensor([0.6875, 0.625, 0.625, 0.0625])
    torch.testing.assert_close(x.grad[0, 0], sides.outer(sides), rtol=0, atol=0)
