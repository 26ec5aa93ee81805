"""Multiply-adds and parameters of networks, with the conventions of mmcv."""
import io
import itertools
import math

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import (
    ConvModule,
    ResNet,
    build_conv_layer,
    get_model_complexity_info,
    use_winograd,
)
from mmcv_replace.cnn.utils import flops_counter
from mmcv_replace.cnn.utils.flops_counter import (
    add_flops_counting_methods,
    flops_to_string,
    get_model_parameters_number,
    get_modules_mapping,
    is_supported_instance,
    params_to_string,
    print_model_with_flops,
)


def count(model, shape, **options):
    return get_model_complexity_info(model, shape, print_per_layer_stat=False, as_strings=False,
                                     **options)


# Numbers of mmcv 1.7.2.
LAYERS = [
    (nn.Conv1d(4, 6, 3, bias=False), (4, 9), 504, 72),
    (nn.Conv2d(4, 8, 3, stride=2, padding=1, dilation=2, groups=2, bias=False), (4, 16, 16), 7056,
     144),
    (nn.Conv2d(4, 8, 3, groups=4), (4, 9, 9), 3920, 80),
    (nn.Conv3d(2, 3, 2), (2, 3, 3, 3), 408, 51),
    (nn.ConvTranspose2d(3, 8, (2, 3), stride=(1, 2)), (3, 7, 6), 6880, 152),
    (nn.ConvTranspose2d(4, 8, 3, stride=2, groups=2, bias=False), (4, 7, 7), 7056, 144),
    (nn.ConvTranspose1d(3, 4, 3), (3, 7), 0, 40),
    (nn.BatchNorm2d(3), (3, 4, 4), 96, 6),
    (nn.BatchNorm2d(3, affine=False), (3, 4, 4), 48, 0),
    (nn.InstanceNorm2d(3), (3, 4, 4), 48, 0),
    (nn.GroupNorm(1, 3), (3, 4, 4), 96, 6),
    (nn.LayerNorm(4), (3, 4, 4), 96, 8),
    (nn.LayerNorm(4, elementwise_affine=False), (3, 4, 4), 48, 0),
    (nn.SyncBatchNorm(3), (3, 4, 4), 0, 6),
    (nn.Linear(8, 2), (8,), 16, 18),
    (nn.Linear(8, 2, bias=False), (4, 5, 8), 320, 16),
    (nn.Upsample(scale_factor=2), (3, 4, 4), 192, 0),
    (nn.MaxPool2d(2), (3, 4, 4), 48, 0),
    (nn.AdaptiveAvgPool2d(1), (3, 4, 4), 48, 0),
    (nn.PReLU(), (3, 4, 4), 48, 1),
    (nn.Sigmoid(), (3, 4, 4), 0, 0),
    (ConvModule(3, 4, 3, norm_cfg=dict(type='BN')), (3, 8, 8), 4320, 116),
]


@pytest.mark.parametrize(('model', 'shape', 'flops', 'params'), LAYERS,
                         ids=lambda value: type(value).__name__)
def test_layers(model, shape, flops, params):
    assert count(model, shape) == (flops, params)


def products(kernel, stride, padding, size):
    """Multiply-adds of a convolution of one channel, counted one by one over a padded map."""
    places = range(-padding, size + padding - kernel + 1, stride)
    return sum(1 for _ in itertools.product(places, places, range(kernel), range(kernel)))


@pytest.mark.parametrize('setting', [(3, 1, 1, 7), (3, 2, 0, 8), (5, 2, 2, 9)])
def test_convolutions_count_each_product_once(setting):
    kernel, stride, padding, size = setting
    conv = nn.Conv2d(1, 1, kernel, stride, padding, bias=False)
    assert count(conv, (1, size, size)) == (products(*setting), kernel**2)


def test_a_convolution_by_winograd_counts_as_ever():
    plain = nn.Sequential(nn.Conv2d(512, 256, 3, padding=1, bias=False))
    expected = count(plain, (512, 4, 4))
    assert type(use_winograd(plain)[0]) is not nn.Conv2d
    assert count(plain, (512, 4, 4)) == expected == (16 * 9 * 2 * 256**2, 9 * 2 * 256**2)


def test_classes_derived_from_layers_do_not_count():
    class Own(nn.ReLU):
        pass

    assert is_supported_instance(nn.ReLU())
    assert not is_supported_instance(Own())
    assert get_modules_mapping()[nn.ReLU] is flops_counter.relu_flops_counter_hook


class Net(nn.Module):
    """A layer twice in a pass, one that is not trained, one that is not used."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.own = nn.Parameter(torch.ones(5))
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.unused = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        self.seen = x.dtype, tuple(x.shape), self.training, torch.is_grad_enabled()
        return self.conv(self.conv(x)) * self.own[0]


def test_calls_add_up():
    assert count(Net(), (3, 8, 8)) == (10752, 105)
    assert get_model_parameters_number(Net()) == 105


def test_the_pass():
    net = Net().double().train()
    count(net, (3, 8, 8))
    assert net.seen == (torch.float64, (1, 3, 8, 8), False, False)
    assert not net.training


def test_the_input_can_be_made():
    shapes = []
    options = dict(input_constructor=lambda shape: shapes.append(shape) or {
        'x': torch.ones(1, *shape)})
    assert count(Net(), (3, 8, 8), **options) == (10752, 105)
    assert shapes == [(3, 8, 8)]


def test_nothing_is_left_on_the_model():
    net = Net()
    before = {name: set(vars(module)) for name, module in net.named_modules()}
    count(net, (3, 8, 8))
    net.unused.register_forward_pre_hook(lambda *_: None)
    with pytest.raises(RuntimeError):
        count(net, (5, 8, 8))
    del net.seen
    assert {name: set(vars(module)) for name, module in net.named_modules()} == before
    assert not net._forward_hooks
    assert not net.conv._forward_hooks


@pytest.mark.parametrize('shape', [[3, 8, 8], (), 5])
def test_wrong_shapes(shape):
    with pytest.raises(AssertionError, match='must be a tuple'):
        get_model_complexity_info(Net(), shape)


def test_printed_table():
    out = io.StringIO()
    found = get_model_complexity_info(Net(), (3, 8, 8), ost=out)
    assert found == ('0.0 GFLOPs', '105')
    assert out.getvalue() == '''Net(
  0.0 M, 95.238% Params, 0.0 GFLOPs, 100.000% FLOPs, \n\
  (conv): Conv2d(0.0 M, 80.000% Params, 0.0 GFLOPs, 100.000% FLOPs, 3, 3, kernel_size=(3, 3), \
stride=(1, 1), padding=(1, 1))
  (frozen): Linear(0.0 M, 0.000% Params, 0.0 GFLOPs, 0.000% FLOPs, in_features=2, \
out_features=2, bias=True)
  (unused): Conv2d(0.0 M, 15.238% Params, 0.0 GFLOPs, 0.000% FLOPs, 3, 4, kernel_size=(1, 1), \
stride=(1, 1))
)
'''


def test_a_model_without_anything_to_count_is_printed():
    out = io.StringIO()
    get_model_complexity_info(nn.Sigmoid(), (3, 4), ost=out)
    assert out.getvalue() == 'Sigmoid(0.0 M, 0.000% Params, 0.0 GFLOPs, 0.000% FLOPs, )\n'


def test_flush():
    class Stream(io.StringIO):
        flushed = False

        def flush(self):
            self.flushed = True

    for flush in (False, True):
        stream = Stream()
        get_model_complexity_info(nn.ReLU(), (3, 4), ost=stream, flush=flush)
        assert stream.flushed is flush


def test_a_whole_network():
    assert get_model_complexity_info(ResNet(18), (3, 224, 224), print_per_layer_stat=False) == (
        '1.82 GFLOPs', '11.18 M')


def test_counting_over_several_batches():
    net = add_flops_counting_methods(Net())
    net(torch.ones(2, 3, 8, 8))
    net.start_flops_count()
    for size in (2, 3):
        net(torch.ones(size, 3, 8, 8))
    assert net.compute_average_flops_cost() == (10752, 105)
    out = io.StringIO()
    print_model_with_flops(net, 21504, 210, units=None, precision=4, ost=out)
    assert '  0.0001 M, 47.619% Params, 10.752 KFLOPs, 50.000% FLOPs, ' in out.getvalue()
    net.stop_flops_count()
    net(torch.ones(2, 3, 8, 8))
    assert net.compute_average_flops_cost() == (10752, 105)
    net.reset_flops_count()
    assert net.compute_average_flops_cost() == (0, 105)


@pytest.mark.parametrize(('number', 'expected'), [
    (0, ['0 FLOPs', '0.0 GFLOPs', '0.0 KFLOPs', '0 FLOPs']),
    (999, ['999 FLOPs', '0.0 GFLOPs', '1.0 KFLOPs', '999 FLOPs']),
    (1e3, ['1.0 KFLOPs', '0.0 GFLOPs', '1.0 KFLOPs', '1000.0 FLOPs']),
    (123456789, ['123.46 MFLOPs', '0.12 GFLOPs', '123456.79 KFLOPs', '123456789 FLOPs']),
    (5e9, ['5.0 GFLOPs', '5.0 GFLOPs', '5000000.0 KFLOPs', '5000000000.0 FLOPs']),
])
def test_text_of_operations(number, expected):
    units = (None, 'GFLOPs', 'KFLOPs', 'FLOPs')
    assert [flops_to_string(number, unit) for unit in units] == expected
    assert flops_to_string(math.pi * 1e9, precision=4) == '3.1416 GFLOPs'


@pytest.mark.parametrize(('number', 'expected'), [
    (999, ['999', '0.0 M', '1.0 K', '999']),
    (1e3, ['1.0 k', '0.0 M', '1.0 K', '1000.0']),
    (123456789, ['123.46 M', '123.46 M', '123456.79 K', '123456789']),
])
def test_text_of_parameters(number, expected):
    assert [params_to_string(number, unit) for unit in (None, 'M', 'K', '')] == expected
    assert params_to_string(math.pi * 1e6, precision=4) == '3.1416 M'


@pytest.mark.parametrize(('kind', 'values'), [('DCN', 2), ('DCNv2', 3)])
def test_a_deformable_convolution_counts_by_its_offsets(kind, values):
    layer = build_conv_layer(dict(type=kind), 4, 8, 3, padding=1, bias=False)
    flops, params = count(nn.Sequential(layer), (4, 5, 6))
    assert flops == 5 * 6 * 9 * values * (4 * 9 + 1)
    assert params == sum(each.numel() for each in layer.parameters())
