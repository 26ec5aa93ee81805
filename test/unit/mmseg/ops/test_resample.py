"""Pooling, resizing and fusion by matrices against torch's own operators."""
import pytest
import torch
import torch.nn.functional as F

from mmseg.ops import concat_conv, image_mean, pyramid_conv, pyramid_pool, resample, resize_matrices

SIZES = [(64, 64), (65, 97), (48, 37), (7, 5), (6, 6), (1, 1), (3, 200)]
BINS = (1, 2, 3, 6)


@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('size', SIZES)
def test_pooling_is_adaptive_average_pooling(size, memory):
    x = torch.randn(2, 3, *size, dtype=torch.float64).to(memory_format=memory).requires_grad_()
    for s, pooled in zip(BINS, pyramid_pool(x, BINS), strict=True):
        expected = F.adaptive_avg_pool2d(x, s)
        torch.testing.assert_close(pooled, expected, rtol=1e-12, atol=1e-12)
        grad = torch.randn_like(expected)
        ours, = torch.autograd.grad(pooled, x, grad, retain_graph=True)
        theirs, = torch.autograd.grad(expected, x, grad)
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('source', [(1, 1), (2, 3), (6, 6), (13, 9)])
def test_resizing_is_bilinear_interpolation(size, source, align_corners):
    x = torch.randn(2, 3, *source, dtype=torch.float64, requires_grad=True)
    rows, columns = resize_matrices(x, size, align_corners)
    ours = rows @ x @ columns.T
    expected = F.interpolate(x, size, mode='bilinear', align_corners=align_corners)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-10)
    grad = torch.randn_like(expected)
    torch.testing.assert_close(torch.autograd.grad(ours, x, grad)[0],
                               torch.autograd.grad(expected, x, grad)[0], rtol=1e-9, atol=1e-9)


def plain(x, maps, weight, bias, align_corners):
    enlarged = [F.interpolate(m, x.shape[2:], mode='bilinear', align_corners=align_corners)
                for m in maps]
    return F.conv2d(torch.cat([x, *enlarged], 1), weight, bias, padding=1)


def inputs(size, dtype=torch.float64, channels=(8, 4, 4, 4), out=5):
    x = torch.randn(2, channels[0], *size, dtype=dtype)
    maps = [torch.randn(2, c, s, s, dtype=dtype) for c, s in zip(channels[1:], BINS, strict=False)]
    weight = torch.randn(out, sum(channels), 3, 3, dtype=dtype)
    tensors = [x, *maps, weight, torch.randn(out, dtype=dtype)]
    return [tensor.requires_grad_() for tensor in tensors]


@pytest.mark.parametrize('lead', [1, 2, 3])
def test_maps_may_come_first(lead):
    """As in ASPP, whose image pooling stands before the branches."""
    x, *maps, weight, bias = inputs((9, 12))
    parts = [F.interpolate(m, x.shape[2:], mode='bilinear') for m in maps]
    parts.insert(lead, x)
    torch.testing.assert_close(pyramid_conv(x, maps, weight, bias, False, lead=lead),
                               F.conv2d(torch.cat(parts, 1), weight, bias, padding=1))


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size', SIZES)
def test_fusion_is_the_convolution_of_the_concatenation(size, align_corners):
    x, *maps, weight, bias = tensors = inputs(size)
    ours = pyramid_conv(x, maps, weight, bias, align_corners)
    expected = plain(x, maps, weight, bias, align_corners)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)
    grad = torch.randn_like(expected)
    for mine, theirs in zip(torch.autograd.grad(ours, tensors, grad),
                            torch.autograd.grad(expected, tensors, grad), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-8)


def test_channels_in_pieces(monkeypatch):
    """Large maps are computed for some output channels at a time, with the same result."""
    x = torch.randn(2, 2, 20, 24, dtype=torch.float64)
    maps = [torch.randn(2, 3, 10, 12, dtype=torch.float64, requires_grad=True),
            torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True)]
    weight = torch.randn(70, 9, 3, 3, dtype=torch.float64, requires_grad=True)
    expected = plain(x, maps, weight, None, False)
    outer = torch.randn_like(expected)
    gradients = torch.autograd.grad(expected, (*maps, weight), outer)
    widths, inner = [], resample._enlarged
    monkeypatch.setattr(resample, '_enlarged', lambda maps, kernels, *rest: widths.append(
        [len(kernel) for kernel in kernels]) or inner(maps, kernels, *rest))
    for limit, pieces in ((1, [[32, 32], [32, 32], [6, 6]]), (2**22, [[70, 70]]),
                          (9 * 2 * 150 * 40, [[40, 40], [30, 30]])):
        monkeypatch.setattr(resample, '_AT_ONCE', limit)
        widths.clear()
        found = pyramid_conv(x, maps, weight, None, False)
        assert widths == pieces
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(torch.autograd.grad(found, (*maps, weight), outer), gradients)


def test_fusion_in_float32_is_exact_to_1e_5():
    x, *maps, weight, bias = inputs((33, 47), torch.float32, (64, 32, 32, 32), 16)
    with torch.no_grad():
        ours = pyramid_conv(x, maps, weight, bias, False)
        expected = plain(x, maps, weight, bias, False)
    assert ((ours - expected).norm() / expected.norm()).item() < 1e-5


def test_gradients_by_differences():
    x, *maps, weight, bias = inputs((4, 3), channels=(2, 1, 1), out=2)
    assert torch.autograd.gradcheck(
        lambda x, a, b, w, v: pyramid_conv(x, [a, b], w, v, False), (x, *maps, weight, bias))


def test_without_bias():
    x, *maps, weight, _ = inputs((9, 9))
    torch.testing.assert_close(pyramid_conv(x, maps, weight, None, True),
                               plain(x, maps, weight, None, True))


def test_matrices_made_in_evaluation_serve_training():
    x = torch.randn(1, 2, 11, 17, requires_grad=True)
    with torch.inference_mode():
        pyramid_pool(torch.randn(1, 2, 11, 17), (5,))
    pyramid_pool(x, (5,))[0].sum().backward()
    assert x.grad.sum().item() == pytest.approx(2 * 25, rel=1e-4)


@pytest.mark.parametrize(('size', 'calls'), [((2, 3), 1), ((9, 8), 2)])
def test_small_maps_are_concatenated_before_a_convolution(size, calls):
    maps, seen = [torch.randn(2, c, *size) for c in (4, 3)], []
    weight, bias = torch.randn(5, 7, 3, 3), torch.randn(5)

    def convolve(x, kernel, shift):
        seen.append(x.shape[1])
        return torch.nn.functional.conv2d(x, kernel, shift, padding=1)

    found = concat_conv(maps, weight, bias, convolve)
    expected = torch.nn.functional.conv2d(torch.cat(maps, 1), weight, bias, padding=1)
    torch.testing.assert_close(found, expected)
    assert len(seen) == calls


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_the_mean_of_an_image(dtype):
    x = (60 + torch.randn(2, 5, 40, 39)).to(dtype).requires_grad_()  # sums beyond float16
    found, expected = image_mean(x), F.adaptive_avg_pool2d(x.float(), 1)
    torch.testing.assert_close(found.float(), expected, rtol=torch.finfo(dtype).eps, atol=1e-5)
    found.sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 1 / 1560))
