"""Convolution of enlarged, concatenated maps against torch's own operators."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmseg.ops.resize_conv import fits_resize_conv, resize_conv

# Channels and sizes of maps; the last ones pay by both kernels.
PYRAMID = [(3, (24, 32)), (4, (12, 16)), (16, (6, 8)), (30, (3, 4))]
MIXED = [(3, (23, 31)), (40, (5, 6)), (2, (12, 16)), (50, (1, 2))]
EQUAL = [(3, (8, 8)), (4, (8, 8))]


def make_maps(sizes, dtype=torch.float64):
    torch.manual_seed(1)
    return [torch.randn(2, channels, *size, dtype=dtype, requires_grad=True)
            for channels, size in sizes]


def make_conv(sizes, kernel_size, bias=True):
    torch.manual_seed(0)
    return nn.Conv2d(sum(channels for channels, _ in sizes), 5, kernel_size,
                     padding=kernel_size // 2, bias=bias).double()


def plain(maps, conv, align_corners):
    return conv(torch.cat([F.interpolate(x, maps[0].shape[2:], mode='bilinear',
                                         align_corners=align_corners) for x in maps], 1))


def use(run, sizes, kernel_size, align_corners, bias=True):
    maps, conv = make_maps(sizes), make_conv(sizes, kernel_size, bias)
    with FlopCounterMode(display=False) as counter:
        out = run(maps, conv, align_corners)
        out.square().sum().backward()
    return ([out, *(x.grad for x in [*maps, *conv.parameters()])], counter.get_total_flops())


@pytest.mark.parametrize('sizes', [PYRAMID, MIXED, EQUAL, PYRAMID[:1]],
                         ids=['pyramid', 'mixed', 'equal', 'one'])
@pytest.mark.parametrize('kernel_size', [1, 3])
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('bias', [False, True])
def test_values_and_gradients(sizes, kernel_size, align_corners, bias):
    found, multiplied = use(resize_conv, sizes, kernel_size, align_corners, bias)
    expected, of_plain = use(plain, sizes, kernel_size, align_corners, bias)
    torch.testing.assert_close(found, expected)
    if sizes in (PYRAMID, MIXED):
        assert multiplied < 0.8 * of_plain
    else:
        assert multiplied == of_plain


def test_maps_that_do_not_pay_are_enlarged():
    sizes = [(3, (24, 32)), (1, (20, 30))]
    assert use(resize_conv, sizes, 1, False)[1] == use(plain, sizes, 1, False)[1]


@pytest.mark.parametrize('kernel_size', [1, 3])
@torch.no_grad()
def test_traced_graphs_of_any_size(kernel_size):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = make_conv(PYRAMID[:2], kernel_size)

        def forward(self, first, second):
            return resize_conv([first, second], self.conv, False)

    model, (first, second) = Model(), make_maps(PYRAMID[:2])
    height, width = torch.export.Dim('height'), torch.export.Dim('width')
    graph = torch.export.export(
        model, (first, second), dynamic_shapes=({2: 2 * height, 3: 2 * width},
                                                {2: height, 3: width})).module()
    first, second = torch.randn(2, 3, 40, 12).double(), torch.randn(2, 4, 20, 6).double()
    torch.testing.assert_close(graph(first, second), model(first, second))


def test_low_precision():
    maps, conv = make_maps(PYRAMID, torch.bfloat16), make_conv(PYRAMID, 3)
    expected = plain([x.double() for x in maps], conv, False)
    found = resize_conv(maps, conv.bfloat16(), False)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=0.05 * expected.std().item())


@pytest.mark.parametrize(('options', 'fits'), [
    (dict(kernel_size=1), True), (dict(kernel_size=3, padding=1), True),
    (dict(kernel_size=3), False), (dict(kernel_size=5, padding=2), False),
    (dict(kernel_size=3, padding=2, dilation=2), False), (dict(kernel_size=1, stride=2), False),
    (dict(kernel_size=3, padding=1, groups=2), False), (dict(kernel_size=1, padding=1), False),
    (dict(kernel_size=3, padding='same'), False)])
def test_convolutions_that_fit(options, fits):
    assert fits_resize_conv(nn.Conv2d(4, 4, **options)) == fits


def test_sizes_that_do_not_line_up_are_told(caplog):
    sizes = [(3, (26, 35)), (40, (4, 5))]
    resize_conv(make_maps(sizes), make_conv(sizes, 1), True)
    assert 'align_corners=True from (4, 5) to (26, 35)' in caplog.text
