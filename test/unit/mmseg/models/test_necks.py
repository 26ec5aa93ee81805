"""Every registered neck. A new one needs its cases in the table alone."""
import pytest
import torch
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import NECKS, build_neck

from . import module_checks as checks
from .neck_plain import plain_fpn

BN, TANH = dict(type='BN'), dict(type='Tanh')
WIDTHS, SIZES = (4, 8, 16), ((17, 23), (9, 12), (5, 6))

# Name -> list of (options, plain form of the maps), two at least.
CASES = {
    'FPN': [(options, plain_fpn) for options in (
        dict(in_channels=WIDTHS, out_channels=6, num_outs=3),
        dict(in_channels=WIDTHS, out_channels=5, num_outs=5, norm_cfg=BN, act_cfg=TANH,
             upsample_cfg=dict(mode='bilinear')),
        dict(in_channels=WIDTHS, out_channels=5, num_outs=4, start_level=1, norm_cfg=BN,
             no_norm_on_lateral=True, add_extra_convs='on_input', relu_before_extra_convs=True),
        dict(in_channels=WIDTHS, out_channels=5, num_outs=5, add_extra_convs='on_lateral',
             relu_before_extra_convs=True),
        dict(in_channels=WIDTHS, out_channels=5, num_outs=5, add_extra_convs=True),
        dict(in_channels=WIDTHS, out_channels=5, num_outs=4, add_extra_convs=True,
             extra_convs_on_inputs=True),
        dict(in_channels=WIDTHS, out_channels=5, num_outs=2, end_level=2))],
}
EACH = [(name, i) for name, cases in CASES.items() for i in range(len(cases))]
each_case = pytest.mark.parametrize(('name', 'index'), EACH)


def build(name, index):
    torch.manual_seed(0)
    return build_neck(dict(CASES[name][index][0], type=name))


def maps(batch, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, width, *size, generator=generator).to(dtype)
            for width, size in zip(WIDTHS, SIZES, strict=True)]


def test_every_neck_has_two_cases():
    assert set(CASES) == set(NECKS), 'add its cases above'
    assert all(len(each) >= 2 for each in CASES.values())


@each_case
def test_values_are_those_of_the_plain_form(name, index):
    options, plain = CASES[name][index]
    neck = checks.randomise_norms(build(name, index)).double().eval()
    inputs = maps(2, torch.float64)
    with torch.no_grad():
        for one, other in zip(neck(inputs), plain(neck.state_dict(), options, inputs), strict=True):
            torch.testing.assert_close(one, other)


@each_case
@pytest.mark.parametrize('check', checks.CHECKS, ids=lambda check: check.__name__)
def test_as_every_module(name, index, check):
    check(lambda: build(name, index), maps)


@each_case
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_gradients(name, index, dtype):
    checks.check_gradients(lambda: build(name, index), maps, dtype)


def test_the_checks_notice_what_is_wrong():
    """Each check fails for a module that breaks its rule."""
    def broken(forward):
        return lambda: type('Broken', (nn.BatchNorm2d,), {'forward': forward})(3)

    def inputs(batch, dtype, seed=0):
        return torch.randn(batch, 3, 5, 5, generator=torch.Generator().manual_seed(seed)).to(dtype)

    def counting(self, x):
        self.running_mean += 1
        return nn.BatchNorm2d.forward(self, x)

    for check, forward in (
            (checks.check_pictures_are_independent, lambda self, x: x - x.mean()),
            (checks.check_evaluation_leaves_training_alone, counting),
            (checks.check_save_and_load, lambda self, x: x + self.weight.data_ptr() % 997),
            (checks.check_bfloat16, lambda self, x: x * (1 + (x.dtype == torch.bfloat16)))):
        with pytest.raises(AssertionError):
            check(broken(forward), inputs)
    # A subclass of Sequential does not say in which order its layers run.
    undeclared = type('Undeclared', (nn.Sequential,), {})
    with pytest.raises(AssertionError, match='Undeclared'):
        checks.check_folding(lambda: undeclared(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)), inputs)


# ------------------------------------------------------------------ FPN alone


def fpn(**options):
    return build_neck(dict(dict(type='FPN', in_channels=WIDTHS, out_channels=5, num_outs=3),
                           **options))


@pytest.mark.parametrize(('options', 'words'), [
    (dict(start_level=3), 'start_level=3 and end_level=-1 must choose one or more of the 3 maps'),
    (dict(end_level=4), 'end_level=4 must choose'),
    (dict(num_outs=2), 'num_outs=2 must be 3, .* or more'),
    (dict(end_level=2), 'num_outs=3 must be 2, .* smaller maps need end_level=-1'),
    (dict(add_extra_convs='on_outputs'), "add_extra_convs='on_outputs' must be one of"),
    (dict(extra_convs_on_inputs=True), 'but that is False: set it to True'),
    (dict(relu_before_extra_convs=True), 'needs further convolutions: set add_extra_convs')])
def test_options_that_do_not_fit(options, words):
    with pytest.raises(ConfigError, match=words):
        fpn(**options)


def test_maps_that_do_not_fit():
    with pytest.raises(ConfigError, match=r'in_channels=\[4, 8, 16\], but .* have \[4, 8\]'):
        fpn()([torch.randn(1, width, 8, 8) for width in WIDTHS[:2]])


def test_maps_enlarged_by_a_factor():
    """Where `upsample_cfg` has one, sizes must fit; it gives the same for even sizes."""
    inputs = [torch.randn(1, width, 2 * size, 2 * size)
              for width, size in zip(WIDTHS, (8, 4, 2), strict=True)]
    necks = [fpn(upsample_cfg=cfg) for cfg in (
        dict(mode='bilinear'), dict(mode='bilinear', scale_factor=2))]
    necks[1].load_state_dict(necks[0].state_dict())
    torch.testing.assert_close(necks[0](inputs), necks[1](inputs))
    with pytest.raises(RuntimeError):
        necks[1](maps(1, torch.float32))


def test_layers_of_an_fpn():
    neck = fpn(conv_cfg=dict(type='Conv2dAdaptivePadding'), norm_cfg=BN, act_cfg=TANH,
               no_norm_on_lateral=True, add_extra_convs=True, num_outs=4)
    blocks = [*neck.lateral_convs, *neck.fpn_convs]
    assert all(type(each.conv).__name__ == 'Conv2dAdaptivePadding' for each in blocks)
    assert all(isinstance(each.activate, nn.Tanh) for each in blocks)
    assert [each.with_norm for each in blocks] == [False] * 3 + [True] * 4


def test_first_weights_of_an_fpn():
    """Uniform, with the variance 2 / (fan in + fan out) of Xavier's rule."""
    torch.manual_seed(0)
    neck = fpn(out_channels=32)
    neck.init_weights()
    for block in (*neck.lateral_convs, *neck.fpn_convs):
        weight = block.conv.weight
        area = weight.shape[2] * weight.shape[3]
        limit = (6 / (area * (weight.shape[0] + weight.shape[1]))) ** 0.5
        assert 0.9 * limit < weight.abs().max() <= limit
        assert not block.conv.bias.any()
