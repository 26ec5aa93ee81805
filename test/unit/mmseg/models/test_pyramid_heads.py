"""Settings of ASPPHead, DepthwiseSeparableASPPHead, UPerHead and FPNHead that do not fit."""
import pytest
import torch

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import build_head

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
