"""PSAHead: what its fast form leaves out, and what it refuses."""
import pytest
import torch

from mmcv_replace.ops.psa_mask import psa_mask
from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_head
from mmseg.models.decode_heads import psa_head
from mmseg.models.decode_heads.psa_head import entries_on_map


def make(**options):
    torch.manual_seed(0)
    return build_head(dict(dict(type='PSAHead', in_channels=8, channels=4, num_classes=3,
                                mask_size=(21, 5), norm_cfg=dict(type='BN'), dropout_ratio=0),
                           **options))


@pytest.mark.parametrize(('mask', 'pixels', 'kept'), [
    (7, 2, [2, 3, 4]), (7, 4, range(7)), (7, 9, range(7)), (6, 2, [1, 2, 3]), (6, 3, range(5)),
    (6, 4, range(6)), (1, 5, [0]), (5, 1, [2])])
def test_entries_on_a_map(mask, pixels, kept):
    """Of pixels in a row, those at a distance of less than their number, and the middle stays."""
    weight = torch.arange(mask * 3.0).view(-1, 1, 1, 1)
    part, size = entries_on_map(weight, (mask, 3), (pixels, 5))
    assert size == (len(kept), 3)
    assert (part.flatten()[1::3] // 3).tolist() == list(kept)
    assert list(kept)[(len(kept) - 1) // 2] == (mask - 1) // 2
    turned, size = entries_on_map(weight, (3, mask), (5, pixels))
    assert size == (3, len(kept))
    assert turned.flatten()[:len(kept)].tolist() == list(kept)


@pytest.mark.parametrize(('fast', 'entries'), [(True, 15), (False, 21)])
def test_only_entries_on_the_map_are_computed(fast, entries, monkeypatch):
    seen = []
    monkeypatch.setattr(psa_head, 'psa_mask', lambda masks, *args: seen.append(
        masks.shape) or psa_mask(masks, *args))
    make(fuse_attention=fast, mask_size=(21, 21))([torch.randn(2, 8, 16, 16)])  # shrunk to 8 x 8
    assert seen == [(2, entries ** 2, 8, 8)] * 2


def test_masks_by_a_layer_with_hooks():
    seen, head = [], make()
    head.attention[1].register_forward_hook(lambda *args: seen.append(args[2].shape[1]))
    expected = make()([torch.randn(2, 8, 8, 9)])
    torch.manual_seed(0)
    assert head([torch.randn(2, 8, 8, 9)]).shape == expected.shape
    assert seen == [21 * 5]


@pytest.mark.parametrize('fuse', [True, False])
def test_the_enlarged_map_is_concatenated_only_in_the_plain_form(fuse, monkeypatch):
    widths = []
    concatenate = torch.cat
    monkeypatch.setattr(torch, 'cat', lambda x, dim=0: widths.append(
        sum(part.shape[1] for part in x)) or concatenate(x, dim))
    make(fuse_pyramid=fuse, psa_type='collect', shrink_factor=4)([torch.randn(2, 8, 16, 16)])
    assert (16 in widths) is not fuse


def test_a_map_that_is_not_enlarged_is_not_fused(monkeypatch):
    """Without shrinking, that of `proj` is even larger than the input."""
    monkeypatch.setattr(psa_head, 'pyramid_conv', None)
    assert make(shrink_factor=1)([torch.randn(2, 8, 6, 7)]).shape == (2, 3, 6, 7)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(mask_size=(3,)), r'PSAHead: mask_size=\(3,\) must be \(height, width\), each 1 or more'),
    (dict(mask_size=(3, 0)), r'PSAHead: mask_size=\(3, 0\) must be'),
    (dict(psa_type='both'), "PSAHead: psa_type='both' is not one of collect, distribute, bi-dir"),
    (dict(shrink_factor=0), 'PSAHead: shrink_factor=0 must be 1 or more'),
    (dict(normalization_factor=0.0), 'PSAHead: normalization_factor=0.0 must be above 0, or None')])
def test_errors(options, message):
    with pytest.raises(ConfigError, match=message):
        make(**options)


@pytest.mark.parametrize(('options', 'size', 'message'), [
    (dict(shrink_factor=8), (5, 16),
     'PSAHead: shrink_factor=8 leaves nothing of a map of 5 x 16 pixels: lower it'),
    (dict(compact=True), (10, 10),
     r'compact=True, mask_size=\(21, 5\) must have an entry for each pixel of the map, which has '
     '5 x 5')])
def test_maps_that_do_not_fit(options, size, message):
    with pytest.raises(ConfigError, match=message):
        make(**options)([torch.randn(2, 8, *size)])
