"""What is particular to RoIPool: the module, and boxes that are not as they should be."""
import pytest
import torch

from mmcv_replace.ops import RoIPool, roi_pool
from mmcv_replace.ops.roi import chunks
from mmcv_replace.utils.errors import ArgumentError, UsageError

from .cases.roi_pool import BOXES, distinct, plain_roi_pool


def test_module():
    layer = RoIPool((3, 2), 0.5)
    assert repr(layer) == 'RoIPool(output_size=(3, 2), spatial_scale=0.5)'
    x, rois = distinct(), torch.tensor(BOXES).double()
    assert torch.equal(layer(x, rois), roi_pool(x, rois, (3, 2), 0.5))
    assert repr(RoIPool(7)) == 'RoIPool(output_size=(7, 7), spatial_scale=1.0)'


@pytest.mark.parametrize(('x', 'pooled', 'slope'), [
    ([[1, 2], [3, 4]], [[1, 2], [3, 4]], [[1, 1], [1, 1]]),
    ([[1, 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]], [[4, 8], [12, 16]],
     [[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]]),
])
def test_published_figures(x, pooled, slope):
    """Those of mmcv's test: a box over the whole map."""
    x = torch.tensor([[x]], dtype=torch.float32, requires_grad=True)
    side = float(len(x[0, 0]) - 1)
    y = roi_pool(x, torch.tensor([[0, 0, 0, side, side]]), (2, 2))
    y.sum().backward()
    assert y.tolist() == [[pooled]]
    assert x.grad.tolist() == [[slope]]


def test_nothing_to_pool():
    x = distinct().requires_grad_()
    out = roi_pool(x, torch.zeros(0, 5).double(), 2)
    assert out.shape == (0, 2, 2, 2)
    out.sum().backward()
    assert not x.grad.any()
    assert not roi_pool(x[:, :, :0], torch.zeros(3, 5).double(), 2).any()


def test_bins_without_pixels_have_no_gradient():
    x = (distinct() - 1000).requires_grad_()
    nan, inf = float('nan'), float('inf')
    rois = torch.tensor([[0, 5, 5, 2, 2], [1, 90, 90, 99, 99], [0, nan, 0, 4, 4],
                         [0, 0, 0, inf, 4], [0, -1e9, -1e9, -1e8, -1e8]]).double()
    out = roi_pool(x, rois, 2)
    assert not out[[0, 1, 2, 4]].any()
    out.sum().backward()
    assert torch.isfinite(x.grad).all()
    rest = torch.autograd.grad(roi_pool(x, rois[[0, 1, 2, 4]], 2).sum(), x)[0]
    assert not rest.any()


def test_infinite_gradient_of_a_bin_without_pixels():
    x = distinct().requires_grad_()
    out = roi_pool(x, torch.tensor([[0., 90, 90, 99, 99]]).double(), 2)
    out.backward(torch.full_like(out, torch.inf))
    assert not x.grad.any()


def test_a_bin_of_minus_infinity_is_the_lowest_number():
    x = torch.full((1, 1, 2, 2), -torch.inf).requires_grad_()
    out = roi_pool(x, torch.tensor([[0., 0, 0, 1, 1]]), 1)
    assert out.item() == torch.finfo(torch.float32).min
    out.sum().backward()
    assert not x.grad.any()


@pytest.mark.parametrize('number', [-1, 2, float('nan')])
def test_images_that_do_not_exist(number):
    with pytest.raises(ArgumentError, match='roi_pool: rois name images from .* from 0 to 1'):
        roi_pool(distinct(), torch.tensor([[0, 0, 0, 1, 1], [number, 0, 0, 1, 1]]).double(), 1)


def test_many_groups_give_the_same(monkeypatch):
    x, rois = distinct().requires_grad_(), torch.tensor(BOXES * 3).double()
    monkeypatch.setattr(chunks, 'FEWEST', 1)
    found, expected = (f(x, rois, (3, 2), 0.5) for f in (roi_pool, plain_roi_pool))
    assert torch.equal(found, expected)
    grads = (torch.autograd.grad(y.sum(), x)[0] for y in (found, expected))
    torch.testing.assert_close(*grads)


def test_wrong_arguments():
    with pytest.raises(ArgumentError, match=r'roi_pool: rois are of shape \(5,\)'):
        roi_pool(distinct(), torch.zeros(5), 2)


def test_an_export_is_refused():
    with pytest.raises(UsageError, match='the pixels in a bin of roi_pool depends on the sizes'):
        torch.export.export(RoIPool(2), (distinct(), torch.tensor(BOXES).double()), strict=False)


def test_boxes_that_end_on_the_last_pixel():
    """The figures of mmcv's public test: both corners of a box belong to it."""
    x = torch.tensor([[1., 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]])
    x = x.view(1, 1, 4, 4).requires_grad_()
    out = roi_pool(x, torch.tensor([[0, 0, 0, 3, 3.]]), 2)
    assert out.tolist() == [[[[4, 8], [12, 16]]]]
    out.sum().backward()
    assert x.grad[0, 0].tolist() == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]]
