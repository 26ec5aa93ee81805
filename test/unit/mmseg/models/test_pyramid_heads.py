"""Settings of ASPPHead, DepthwiseSeparableASPPHead, UPerHead and FPNHead that do not fit."""
import pytest
import torch

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import build_head
from mmseg.models.decode_heads import DepthwiseSeparableASPPHead, UPerHead
from mmseg.models.decode_heads.aspp_head import ASPPModule
from mmseg.models.decode_heads.sep_aspp_head import DepthwiseSeparableASPPModule
from mmseg.ops import resize

from .head_plain import HEAD, WIDTHS

MAPS = dict(in_channels=WIDTHS, in_index=(0, 1, 2))
PLUS = dict(type='DepthwiseSeparableASPPHead', c1_in_channels=4, c1_channels=3)


def build(type, **options):
    return build_head({**HEAD, **options, 'type': type})


@pytest.mark.parametrize(('options', 'words'), [
    (dict(type='ASPPHead', dilations=()), r'ASPPHead: dilations=\(\) must be a list of whole'),
    (dict(type='ASPPHead', dilations=(1, 0)), r'dilations=\(1, 0\) must be a list of whole'),
    (dict(PLUS, dilations=(2.5,)), r'SeparableASPPHead: dilations=\(2.5,\) must be'),
    (dict(PLUS, c1_in_channels=0), 'c1_in_channels=0 and c1_channels=3 must both be 1 or more, or'),
    (dict(PLUS, c1_channels=0), 'c1_in_channels=4 and c1_channels=0 must both'),
    (dict(PLUS, c1_channels=-1, c1_in_channels=-1), 'must both be 1 or more, or both 0'),
    (dict(type='UPerHead', **MAPS, pool_scales=(0,)), r'UPerHead: pool_scales=\(0,\) must be'),
    (dict(type='PSPHead', pool_scales=()), r'PSPHead: pool_scales=\(\) must be a list of sizes'),
    (dict(type='UPerHead', **MAPS, input_transform='resize_concat'),
     "UPerHead: input_transform='resize_concat' must be 'multiple_select' or left out"),
    (dict(type='FPNHead', **MAPS, feature_strides=(4, 8, 16), input_transform=None),
     "FPNHead: input_transform=None must be 'multiple_select' or left out"),
    (dict(type='FPNHead', **MAPS, feature_strides=(4, 8)),
     r'feature_strides=\(4, 8\) must be as many as in_channels=\(4, 8, 16\)'),
    (dict(type='FPNHead', **MAPS, feature_strides=(4, 8, 12)), 'the first of them times 1, 2, 4'),
    (dict(type='FPNHead', **MAPS, feature_strides=(8, 4, 16)), 'the first of them times 1, 2, 4'),
    (dict(type='FPNHead', **MAPS, feature_strides=(0, 0, 0)), 'the first of them times 1, 2, 4')])
def test_options_that_do_not_fit(options, words):
    with pytest.raises(ConfigError, match=words):
        build(**options)


def test_the_first_map_has_other_channels():
    head = build(**PLUS)
    with pytest.raises(ConfigError, match='c1_in_channels=4, but the first map .* has 6 channels'):
        head([torch.randn(2, width, 9, 9) for width in (6, 8, 16)])


def test_one_image_gives_no_statistics_of_a_mean():
    head = build('ASPPHead')
    with pytest.raises(ArgumentError, match=r'pooling \(image_pool\): .* sees one value a channel'):
        head([torch.randn(1, WIDTHS[-1], 9, 9)])
    head.eval()([torch.randn(1, WIDTHS[-1], 9, 9)])
    build('ASPPHead', norm_cfg=None)([torch.randn(1, WIDTHS[-1], 9, 9)])


def test_the_order_of_the_maps_is_that_of_in_index():
    maps = [torch.randn(2, width, 16 // 2 ** i, 16 // 2 ** i) for i, width in enumerate(WIDTHS)]
    for options in (dict(type='UPerHead'), dict(type='FPNHead', feature_strides=(4, 8))):
        head = build(**options, in_channels=(8, 16), in_index=(1, 2)).eval()
        other = build(**options, in_channels=(8, 16), in_index=(0, 1)).eval()
        other.load_state_dict(head.state_dict())
        torch.testing.assert_close(head(maps), other(maps[1:]))


class ASPPOfAPlugin(DepthwiseSeparableASPPHead):
    """As plug-ins for 0.x write it, by the parts of the heads."""

    def forward(self, inputs):
        x = self._transform_inputs(inputs)
        pooled = resize(self.image_pool(x), x.shape[2:], mode='bilinear', align_corners=False)
        x = self.bottleneck(torch.cat([pooled, *self.aspp_modules(x)], dim=1))
        return self.cls_seg(self.sep_bottleneck(x))


class UPerOfAPlugin(UPerHead):
    def forward(self, inputs):
        inputs = self._transform_inputs(inputs)
        maps = [conv(x) for conv, x in zip(self.lateral_convs, inputs, strict=False)]
        maps.append(self.psp_forward(inputs))
        for i in (1, 0):
            maps[i] = maps[i] + resize(maps[i + 1], maps[i].shape[2:], mode='bilinear')
        maps = [*(conv(x) for conv, x in zip(self.fpn_convs, maps, strict=False)), maps[-1]]
        maps = [resize(x, maps[0].shape[2:], mode='bilinear') for x in maps]
        return self.cls_seg(self.fpn_bottleneck(torch.cat(maps, dim=1)))


@pytest.mark.parametrize(('kind', 'options'), [
    (ASPPOfAPlugin, dict(PLUS, c1_in_channels=0, c1_channels=0)),
    (UPerOfAPlugin, dict(type='UPerHead', **MAPS))])
def test_plugins_work_with_the_parts_of_a_head(kind, options):
    head = build(**options).double().eval()
    options = {key: value for key, value in {**HEAD, **options}.items() if key != 'type'}
    plugin = kind(**options).double().eval()
    plugin.load_state_dict(head.state_dict())
    x = [torch.randn(1, width, 16 >> i, 16 >> i, dtype=torch.float64)
         for i, width in enumerate(WIDTHS)]
    torch.testing.assert_close(plugin(x), head(x))


@pytest.mark.parametrize(('kind', 'separable'), [
    (ASPPModule, False), (DepthwiseSeparableASPPModule, True)])
def test_branches_of_a_module(kind, separable):
    module = kind((1, 2), 4, 3, conv_cfg=None, norm_cfg=None, act_cfg=None)
    assert [each.shape for each in module(torch.randn(1, 4, 7, 9))] == [(1, 3, 7, 9)] * 2
    kernels = [weight.shape[1:] for weight in module.parameters() if weight.dim() == 4]
    assert kernels == [(4, 1, 1), *([(1, 3, 3), (4, 1, 1)] if separable else [(4, 3, 3)])]
