"""Each setting of a model with odd values: refused when built, or the model trains and predicts."""
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import UserError
from mmseg.models import build_segmentor

FEW = settings.get_profile('few')
LOSS = dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)
MODEL = dict(
    type='EncoderDecoder', pretrained=None,
    backbone=dict(type='ResNetV1c', depth=18, num_stages=2, out_indices=(0, 1), strides=(1, 2),
                  dilations=(1, 1), stem_channels=4, base_channels=4, norm_cfg=dict(type='BN'),
                  norm_eval=False, style='pytorch', contract_dilation=True, frozen_stages=-1),
    decode_head=dict(type='PSPHead', in_channels=8, in_index=1, channels=4, pool_scales=(1, 2),
                     dropout_ratio=0.1, num_classes=3, norm_cfg=dict(type='BN'),
                     align_corners=False, loss_decode=LOSS, ignore_index=255),
    auxiliary_head=dict(type='FCNHead', in_channels=4, in_index=0, channels=4, num_convs=1,
                        concat_input=False, kernel_size=3, dilation=1, num_classes=3,
                        norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'), loss_decode=LOSS,
                        sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=10)),
    train_cfg={}, test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(8, 8), batch_windows=2))
HUGE = 10**15  # asks for more memory than there is; a little less might be given, and filled
ODD = [None, True, False, -1, 0, 1, 2, 3, 9, HUGE, -0.5, 0.5, 1.5, 2.0, float('nan'), float('inf'),
       '', 'abc', 'BN', 'whole', 'none', 'missing.pth', (), [], (0,), (1,), (0, 0), (-1, 1), (1, 9),
       (1, 2), (16, 0), (16, 8), (0.5, 2), ('a', 'b'), (1, 2, 3), {}, dict(a=1), dict(type='BN'),
       dict(type='GN', num_groups=3), dict(type='GN', num_groups=0), dict(type='nothing'),
       dict(type='BN', eps='x'), dict(type='BN', momentum=7), [LOSS],
       [dict(type='CrossEntropyLoss')]]


def keys(tree, place='model'):
    for name, value in tree.items():
        yield f'{place}.{name}'
        if isinstance(value, dict):
            yield from keys(value, f'{place}.{name}')


KEYS = [*keys(MODEL), 'model.neck', 'model.init_cfg', 'model.decode_head.input_transform',
        'model.decode_head.conv_cfg', 'model.decode_head.fuse_pyramid', 'model.backbone.plugins',
        'model.backbone.in_channels', 'model.backbone.multi_grid', 'model.backbone.dcn',
        'model.backbone.with_cp', 'model.backbone.avg_down', 'model.backbone.init_cfg',
        'model.decode_head.loss_decode.class_weight', 'model.decode_head.loss_decode.reduction',
        'model.test_cfg.max_logits_mb']


def use(options):
    if options.get('model.auxiliary_head.num_convs') == HUGE:
        return None  # so many are made, one after the other
    cfg = Config(dict(model=MODEL))
    cfg.merge_from_dict(options)
    model = build_segmentor(cfg.model)
    model.init_weights()
    # A dataset has seen to it that its masks hold no more classes than the heads.
    classes = min(part.num_classes for part in model.modules() if hasattr(part, 'conv_seg'))
    img, label = torch.rand(2, 3, 32, 32), torch.randint(0, classes, (2, 1, 32, 32))
    metas = [dict(ori_shape=(32, 32, 3), img_shape=(32, 32, 3), pad_shape=(32, 32, 3), flip=False,
                  filename='a.jpg')] * 2
    losses = model(img, metas, gt_semantic_seg=label)
    model.eval()
    with torch.inference_mode():
        [first, _] = model([img], [metas], return_loss=False)
    assert np.asarray(first).shape == (32, 32)
    return losses


@FEW
@given(key=st.sampled_from(KEYS), value=st.sampled_from(ODD))
def test_one_setting(attempt, key, value):
    result = attempt(use, {key: value})
    if isinstance(result, UserError):
        text = ' '.join([str(result), *getattr(result, '__notes__', [])])
        parts = key.replace('decode_head', 'head').replace('auxiliary_head', 'head').split('.')
        assert any(part in text for part in (*parts[1:], str(value), 'registry'))


@FEW
@given(options=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD), min_size=2, max_size=4))
def test_several_settings(attempt, options):
    attempt(use, options)


def test_the_model_of_these_tests_works(attempt):
    assert torch.isfinite(use({})['decode.loss_seg'])
