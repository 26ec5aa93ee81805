"""What further heads build on: layers, refinement of other heads, targets, being found."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import HEADS, FCNHead
from mmseg.models.decode_heads import BaseCascadeDecodeHead, BaseDecodeHead
from mmseg.models.segmentors.find_heads import named_heads

SIZES = dict(in_channels=4, channels=4, num_classes=5, dropout_ratio=0)


# ------------------------------------------------------------------ layers


def make(**options):
    return FCNHead(num_convs=0, **SIZES, **options)


@pytest.mark.parametrize(('kernel_size', 'dilation'), [(1, 1), (3, 1), (3, 4), (5, 2)])
def test_blocks_have_the_layers_of_the_head_and_keep_the_size(kernel_size, dilation):
    block = make(norm_cfg=dict(type='GN', num_groups=2), act_cfg=dict(type='Tanh'),
                 conv_cfg=dict(type='Conv2dAdaptivePadding')).conv_module(4, 6, kernel_size,
                                                                          dilation)
    assert type(block.conv).__name__ == 'Conv2dAdaptivePadding'
    assert isinstance(block.norm, nn.GroupNorm)
    assert isinstance(block.activate, nn.Tanh)
    assert block.conv.dilation == (dilation, dilation)
    x = torch.randn(2, 4, 9, 11)
    plain = make().conv_module(4, 6, kernel_size, dilation)
    expected = F.conv2d(x, plain.conv.weight, plain.conv.bias, dilation=dilation,
                        padding='same').relu()
    torch.testing.assert_close(plain(x), expected)


def test_options_of_a_block_take_precedence():
    block = make(norm_cfg=dict(type='BN')).conv_module(4, 6, 3, padding=0, stride=2,
                                                       norm_cfg=None, act_cfg=None)
    x = torch.randn(2, 4, 9, 11)
    expected = F.conv2d(x, block.conv.weight, block.conv.bias, stride=2)
    torch.testing.assert_close(block(x), expected)


# ------------------------------------------------------------------ refinement


class Refine(BaseCascadeDecodeHead):
    def forward(self, inputs, prev_output):
        return self.cls_seg(self._transform_inputs(inputs)) + prev_output


def test_a_head_refines_the_logits_of_another():
    head = Refine(**SIZES)
    inputs, previous = [torch.randn(2, 4, 6, 7)], torch.randn(2, 5, 6, 7)
    label = torch.randint(5, (2, 1, 6, 7))
    logits = head.forward_test(inputs, previous, None, None)
    torch.testing.assert_close(logits, head.conv_seg(inputs[0]) + previous)
    losses = head.forward_train(inputs, previous, [{}, {}], label, None)
    torch.testing.assert_close(losses['loss_seg'], F.cross_entropy(logits, label[:, 0]))
    with pytest.raises(TypeError, match='abstract'):
        BaseCascadeDecodeHead(**SIZES)


@pytest.mark.parametrize('heads', [
    dict(decode_head=dict(SIZES, type=Refine)), dict(auxiliary_head=dict(SIZES, type=Refine)),
    dict(auxiliary_head=[dict(SIZES, type=Refine)])])
def test_a_head_of_a_cascade_needs_a_segmentor_for_it(build_tiny, heads):
    with pytest.raises(ConfigError, match='Refine refines .* EncoderDecoder runs it by itself: put '
                                          'it .* in the list decode_head of a CascadeEncoderDec'):
        build_tiny(**heads)


# ------------------------------------------------------------------ targets


@pytest.fixture
def edge_head():
    """Name of a head that is trained on edges, weighted by what the batch holds of them."""
    @HEADS.register_module()
    class EdgeHead(FCNHead):
        extra_targets = ('gt_edge',)

        def forward_train(self, inputs, img_metas, gt_semantic_seg, train_cfg, gt_edge):
            losses = super().forward_train(inputs, img_metas, gt_semantic_seg, train_cfg)
            return dict(losses, loss_edge=gt_edge.sum())

    yield 'EdgeHead'
    del HEADS.module_dict['EdgeHead']


def batch(make_metas, **targets):
    return dict(img=torch.randn(2, 3, 32, 40), img_metas=make_metas((32, 40), (32, 40)),
                gt_semantic_seg=torch.randint(5, (2, 1, 32, 40)), **targets)


@pytest.mark.parametrize('place', ['decode_head', 'auxiliary_head'])
def test_a_head_gets_the_targets_that_it_names(edge_head, build_tiny, tiny_cfg, make_metas, place):
    changed = dict(tiny_cfg['auxiliary_head'], type=edge_head)
    model = build_tiny(**{place: changed})
    edges = torch.rand(2, 32, 40)
    losses = model(**batch(make_metas, gt_edge=edges))
    prefix = place.split('_')[0].replace('auxiliary', 'aux')
    assert torch.equal(losses[f'{prefix}.loss_edge'], edges.sum())
    assert sum('edge' in name for name in losses) == 1
    with pytest.raises(ConfigError, match=r"EdgeHead is trained on 'gt_edge', .*add 'gt_edge' to "
                                          r"`keys` of the step 'Collect' in data\.train"):
        model(**batch(make_metas))


def test_a_target_that_no_head_names(build_tiny, make_metas):
    with pytest.raises(ConfigError, match="'gt_edge', on which no head is trained: remove it from"):
        build_tiny()(**batch(make_metas, gt_edge=torch.zeros(2, 32, 40)))


# ------------------------------------------------------------------ the heads of a model


class Foreign(nn.Module):
    def __init__(self, inner=None):
        super().__init__()
        self.num_classes = 5
        self.inner = inner or nn.Identity()
        self.inner.num_classes = 7  # of a part, not of the head


def test_heads_are_found_by_class_and_by_place():
    model = nn.Module()
    model.decode_head = nn.ModuleList([make(), Refine(**SIZES)])
    model.auxiliary_head = nn.Sequential(nn.Identity(), Foreign())
    model.other = nn.Sequential(make())
    model.backbone = Foreign()
    del model.other[0].conv_seg
    assert [name for name, _ in named_heads(model)] == [
        'decode_head.0', 'decode_head.1', 'auxiliary_head.1', 'other.0']
    assert all(isinstance(head, BaseDecodeHead | Foreign) for _, head in named_heads(model))
