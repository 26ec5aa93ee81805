"""OCRHead: its parts by themselves, its savings, and what it refuses."""
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import OCRHead
from mmseg.models.decode_heads.ocr_head import ObjectAttentionBlock, SpatialGatherModule

HEAD = dict(in_channels=16, channels=32, num_classes=3, ocr_channels=16, norm_cfg=dict(type='BN'))


def make(**options):
    torch.manual_seed(0)
    return OCRHead(**HEAD | options)


def inputs():
    torch.manual_seed(1)
    return [torch.randn(2, 16, 12, 16)], torch.randn(2, 3, 12, 16)


def test_classes_gather_the_features_of_their_pixels():
    feats, logits = torch.rand(1, 4, 3, 5), torch.zeros(1, 2, 3, 5)
    logits[0, 0, 1, 2] = 40
    found = SpatialGatherModule(1)(feats, logits)
    assert found.shape == (1, 4, 2, 1)
    torch.testing.assert_close(found[0, :, 0, 0], feats[0, :, 1, 2])
    torch.testing.assert_close(found[0, :, 1, 0], feats[0].mean((1, 2)))
    torch.testing.assert_close(SpatialGatherModule(40)(feats, logits / 40), found)


def test_the_fused_form_multiplies_and_stores_less():
    found = []
    for fuse in (True, False):
        sizes = []
        with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(
                lambda x, sizes=sizes: sizes.append((x.untyped_storage().data_ptr(),
                                                     x.untyped_storage().nbytes())) or x,
                lambda x: x):
            out = make(fuse_attention=fuse)(*inputs())
        assert out.requires_grad
        found.append((counter.get_total_flops(), sum(dict(sizes).values())))
    assert found[0][0] < found[1][0]
    assert found[0][1] < found[1][1]


def test_scale_pools_the_queries_and_the_temperature():
    block = ObjectAttentionBlock(8, 4, 2, None, None, None)
    assert block(torch.randn(1, 8, 6, 8), torch.randn(1, 8, 3, 1)).shape == (1, 8, 6, 8)
    head = make(scale=2)
    assert head.spatial_gather_module.scale == 2
    assert head.object_context_block.query_downsample.kernel_size == 2
    assert make().object_context_block.query_downsample is None


def test_logits_of_another_size_are_refused():
    maps, logits = inputs()
    with pytest.raises(ConfigError, match=r'OCRHead: its maps have the size \(12, 16\) and the '
                                          r'logits .* \(6, 8\): choose maps of one stride by in_i'):
        make()(maps, logits[:, :, ::2, ::2])


def test_one_class_of_one_image_has_no_statistics():
    maps, logits = inputs()
    with pytest.raises(ArgumentError, match=r'OCRHead \(features of classes\).*samples_per_gpu'):
        make()([maps[0][:1]], logits[:1, :1])
    with pytest.raises(ArgumentError, match=r'\(features of classes\): its instance norm sees one'):
        make(norm_cfg=dict(type='IN'))(maps, logits[:, :1])


@pytest.mark.parametrize('option', ['ocr_channels', 'scale'])
@pytest.mark.parametrize('value', [0, 1.5])
def test_sizes(option, value):
    with pytest.raises(ConfigError, match=f'OCRHead: {option}={value} must be a whole number'):
        make(**{option: value})


def test_maps_smaller_than_the_scale_are_refused():
    maps, logits = inputs()
    with pytest.raises(ConfigError, match=r'OCRHead: scale=13 joins .* size \(12, 16\): lower it'):
        make(scale=13)(maps, logits)
