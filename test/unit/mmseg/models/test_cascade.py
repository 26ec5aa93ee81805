"""CascadeEncoderDecoder: its heads one after another, in training, prediction and in the tools."""
import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.labels.heads import check_num_classes, head_clashes
from mmseg.models import EncoderDecoder, FCNHead, build_segmentor
from mmseg.models.decode_heads import BaseCascadeDecodeHead
from mmseg.models.segmentors import encoder_decoder

SIGMOID = dict(type='CrossEntropyLoss', use_sigmoid=True)


class Refine(BaseCascadeDecodeHead):
    """Logits of a convolution plus twice the previous ones."""

    def forward(self, inputs, prev_output):
        return self.cls_seg(self._transform_inputs(inputs)) + 2 * prev_output


@pytest.fixture
def build(tiny_cfg):
    """A cascade of PSPHead and two refinements; the options replace those of all heads."""

    def build(first=None, second=None, third=None, heads=3, **options):
        first_head = {**tiny_cfg['decode_head'], **(first or {})}
        small = dict(in_channels=16, in_index=2, channels=16, num_classes=5, dropout_ratio=0)
        further = [{**small, 'type': Refine, **(more or {})} for more in (second, third)]
        cfg = dict(tiny_cfg, type='CascadeEncoderDecoder', num_stages=heads,
                   decode_head=[first_head, *further][:heads], **options)
        torch.manual_seed(0)
        model = build_segmentor(cfg)
        for head in model.decode_head:
            nn.init.normal_(head.conv_seg.weight)
        return model

    return build


def batch(make_metas):
    torch.manual_seed(1)
    return dict(img=torch.randn(2, 3, 32, 40), img_metas=make_metas((32, 40), (32, 40)),
                gt_semantic_seg=torch.randint(5, (2, 1, 32, 40)))


def test_names_of_the_weights_and_settings_of_the_last_head(build):
    model = build(third=dict(align_corners=True))
    groups = dict.fromkeys('.'.join(key.split('.')[:2]) for key in model.state_dict()
                           if key.startswith('decode_head'))
    assert [*groups] == ['decode_head.0', 'decode_head.1', 'decode_head.2']
    assert model.align_corners
    assert (model.num_classes, model.out_channels, model.num_stages) == (5, 5, 3)
    assert model.threshold is None


@torch.no_grad()
def test_each_head_gets_the_logits_before_it(build):
    model = build().eval()
    img = torch.randn(1, 3, 32, 40)
    maps = model.extract_feat(img)
    logits = model.decode_head[0](maps)
    for head in model.decode_head[1:]:
        logits = head.conv_seg(maps[2]) + 2 * logits
    expected = nn.functional.interpolate(logits, (32, 40), mode='bilinear', align_corners=False)
    torch.testing.assert_close(model.encode_decode(img, None), expected)


@pytest.mark.parametrize('share', [True, False])
def test_losses_of_all_heads(build, make_metas, share):
    model, data = build(share_logits=share).train(), batch(make_metas)
    found = model(**data)
    maps, label = model.extract_feat(data['img']), data['gt_semantic_seg']
    logits = model.decode_head[0](maps)
    expected = [model.decode_head[0].losses(logits, label)]
    for head in model.decode_head[1:]:
        expected.append(head.losses(head(maps, logits), label))
        logits = head(maps, logits)
    for i, own in enumerate(expected):
        for name, value in own.items():
            torch.testing.assert_close(found.pop(f'decode_{i}.{name}'), value)
    assert set(found) == {'aux.loss_seg', 'aux.acc_seg'}


def test_running_heads_once_or_twice(build, make_metas):
    """The same gradients; the statistics of the norms move once, or twice."""
    results, moved = [], []
    for share in (True, False):
        model = build(share_logits=share).double().train()
        norm = model.decode_head[0].bottleneck.bn
        data = batch(make_metas)
        model.train_step(dict(data, img=data['img'].double()), None)['loss'].backward()
        results.append({name: param.grad for name, param in model.named_parameters()})
        moved.append((norm.running_mean, norm.num_batches_tracked.item()))
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-12)
    assert [count for _, count in moved] == [1, 2]
    torch.testing.assert_close(moved[1][0], 1.9 * moved[0][0])


def test_a_head_with_a_training_of_its_own_is_asked_for_it(build, make_metas, monkeypatch):
    model, data = build().train(), batch(make_metas)
    head, seen = model.decode_head[1], []
    monkeypatch.setattr(head, 'forward_train',
                        lambda x, previous, metas, label, cfg: dict(loss_own=previous.sum()))
    monkeypatch.setattr(head, 'forward_test',
                        lambda x, previous, metas, cfg: seen.append(cfg) or previous)
    losses = model(**data)
    assert 'decode_1.loss_own' in losses
    assert 'decode_1.loss_seg' not in losses
    assert seen == [dict(mode='whole')]


class Edges(FCNHead):
    extra_targets = ('gt_edge',)

    def forward_train(self, inputs, img_metas, gt_semantic_seg, train_cfg, gt_edge):
        return dict(loss_edge=gt_edge.sum())


def test_targets_reach_the_head_that_names_them(build, make_metas):
    model, data = build(heads=2), batch(make_metas)
    model.decode_head[0] = Edges(in_channels=32, channels=32, num_classes=5, in_index=3,
                                 num_convs=0, concat_input=False)
    edges = torch.rand(2, 32, 40)
    assert torch.equal(model(**data, gt_edge=edges)['decode_0.loss_edge'], edges.sum())
    with pytest.raises(ConfigError, match="Edges is trained on 'gt_edge'"):
        model(**data)


@torch.no_grad()
def test_prediction_in_windows_and_strips_and_by_threshold(build, make_metas, monkeypatch):
    one = dict(num_classes=2, out_channels=1, loss_decode=SIGMOID, threshold=0.6)
    window = dict(mode='slide', crop_size=(32, 32), stride=(16, 24))
    model = build(one, one, one, test_cfg=window).eval()
    monkeypatch.setattr(encoder_decoder, 'MAX_LOGITS_MB', 0.001)
    assert model.threshold == 0.6
    img, metas = torch.randn(1, 3, 48, 64), make_metas((48, 64))
    mean = model.slide_inference(img, metas, rescale=False).mean()
    model.decode_head[-1].conv_seg.bias -= mean - math.log(0.6 / 0.4)
    logits = model.slide_inference(img, metas, rescale=False)
    found, = model([img], [metas], return_loss=False)
    assert np.array_equal(found, (logits.sigmoid() > 0.6)[0, 0].int().numpy())
    assert 0 < found.mean() < 1


def test_classes_and_ignored_labels_of_each_head_are_checked(build):
    class Data:
        CLASSES = ('a', 'b', 'c')
        ignore_index = 7

        def __len__(self):
            return 0

    model = build(second=dict(num_classes=3))
    with pytest.raises(ConfigError, match=r'model\.decode_head\.0 has num_classes=5 .* set '
                                          r'model\.decode_head\.0\.num_classes=3'):
        check_num_classes(model, Data())
    assert not [*head_clashes(model, 'train', Data(), strict=True)]
    assert [head.ignore_index for head in model.decode_head] == [7, 7, 7]


def test_options_of_one_head_are_set_by_its_number(tiny_cfg):
    cfg = Config(dict(model=dict(tiny_cfg, decode_head=[tiny_cfg['decode_head']] * 2)))
    cfg.merge_from_dict({'model.decode_head.1.num_classes': 3})
    assert [head.num_classes for head in cfg.model.decode_head] == [5, 3]


def test_weights_that_were_not_written_are_drawn(build):
    model = build()
    written = copy.deepcopy(model.decode_head[1].state_dict())
    before = copy.deepcopy(model.decode_head[2].state_dict())
    # `build` has written to it; this takes the present weights as those it was built with.
    model._built = type(model._built)(model)
    model.decode_head[1].load_state_dict(written)
    model.init_unwritten()
    for key, value in model.decode_head[1].state_dict().items():
        assert torch.equal(value, written[key])
    assert not torch.equal(model.decode_head[2].conv_seg.weight, before['conv_seg.weight'])
    assert model.decode_head[2].conv_seg.weight.std() < 0.03


PSP, REFINE = 0, 1


@pytest.mark.parametrize(('stages', 'heads', 'message'), [
    (2, PSP, 'decode_head must be a list of num_stages=2 heads; for a single head use EncoderDec'),
    (3, [PSP, REFINE], 'num_stages=3 must be the number of heads .* which has 2'),
    (0, [], 'num_stages=0 must be'),
    (2, [PSP, PSP], 'decode_head.1 is a PSPHead, which does not take .* such as OCRHead there'),
    (2, [REFINE, REFINE], 'Refine refines .* put it behind that head')])
def test_what_is_refused(tiny_cfg, stages, heads, message):
    each = [tiny_cfg['decode_head'],
            dict(type=Refine, in_channels=16, channels=16, num_classes=5)]
    heads = [each[i] for i in heads] if isinstance(heads, list) else each[heads]
    with pytest.raises(ConfigError, match=message):
        build_segmentor(dict(tiny_cfg, type='CascadeEncoderDecoder', num_stages=stages,
                             decode_head=heads))


def test_auxiliary_heads_refine_nothing(build):
    with pytest.raises(ConfigError, match='Refine refines .* CascadeEncoderDecoder runs it by '):
        build(auxiliary_head=dict(type=Refine, in_channels=16, channels=16, num_classes=5))


def test_a_list_of_heads_is_for_a_cascade(tiny_cfg):
    del tiny_cfg['type']
    tiny_cfg['decode_head'] = [tiny_cfg['decode_head']] * 2
    with pytest.raises(ConfigError, match='EncoderDecoder: decode_head is a list of 2 heads, .*'
                                          'use CascadeEncoderDecoder'):
        EncoderDecoder(**tiny_cfg)
