"""Multiply-adds by torch's counter, against a published number and a count by hand."""
import pytest
import torch
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis import load_config
from mmseg.benchmark.flops import count_complexity, format_complexity
from mmseg.benchmark.zoo import FAMILIES
from mmseg.models import build_segmentor
from mmseg.models.fast_forms import FAST_FORMS, parts_of, plain_forms

SMALL = {'model.backbone.base_channels': 8, 'model.backbone.depth': 18,
         'model.decode_head.in_channels': 64, 'model.auxiliary_head.in_channels': 32}


def test_published_number_of_pspnet():
    found = count_complexity(load_config('pspnet_r50-d8_512x512_20k_voc12aug'), (512, 512))
    assert found.total.macs == pytest.approx(178.9e9, rel=0.01)
    assert found.total.parameters == 48_977_034
    assert found.fast_macs < 0.8 * found.total.macs
    assert found.shape == (3, 512, 512)
    parts = {row.name: row.macs for row in found.rows}
    assert parts['backbone'] + parts['decode_head'] == pytest.approx(found.total.macs, rel=1e-3)
    assert parts['auxiliary_head'] == 0  # it is used in training only


def test_count_by_hand():
    cfg = load_config('fcn_r50-d8_512x512_20k_voc12aug', SMALL)
    model = build_segmentor(cfg.model).eval()
    expected = []

    def add(conv, inputs, output):
        kernel = conv.weight[0].numel()
        expected.append(output.numel() * kernel)

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(add)
    with torch.no_grad():
        model.forward_dummy(torch.zeros(1, 3, 65, 97))
    found = count_complexity(cfg, (65, 97))
    assert found.total.macs == sum(expected)


def test_depth_and_channels():
    cfg = load_config('fcn_r50-d8_512x512_20k_voc12aug', {**SMALL, 'model.backbone.in_channels': 5})
    found = count_complexity(cfg, (64, 64), depth=0)
    assert [row.name for row in found.rows] == ['EncoderDecoder']
    assert found.shape == (5, 64, 64)
    assert count_complexity(cfg, (5, 64, 64)).total == found.total
    rows = [row.name for row in count_complexity(cfg, (64, 64), depth=1).rows]
    assert rows == ['EncoderDecoder', 'backbone', 'decode_head', 'auxiliary_head']


def test_the_table():
    found = count_complexity(load_config('fcn_r50-d8_512x512_20k_voc12aug', SMALL), (64, 64))
    text = format_complexity(found)
    assert f'Flops: {found.total.macs / 1e9:.2f} GMACs' in text
    assert f'As computed here: {found.fast_macs / 1e9:.2f} GMACs' in text
    assert f'Params: {found.total.parameters / 1e6:.2f} M' in text
    assert '100.0%' in text
    assert 'Input shape: (3, 64, 64)' in text


@pytest.mark.parametrize('shape', [(0, 64), (64,), (1, 2, 3, 4)])
def test_impossible_shapes(shape):
    cfg = load_config('fcn_r50-d8_512x512_20k_voc12aug')
    with pytest.raises(ConfigError, match=f'--shape {" ".join(map(str, shape))}: give the height'):
        count_complexity(cfg, shape)
    with pytest.raises(ConfigError, match='--depth -1 must be 0'):
        count_complexity(cfg, (64, 64), depth=-1)


@pytest.mark.parametrize('family', FAMILIES)
def test_every_family_is_counted(family):
    cfg = load_config(f'configs/{family}/{FAMILIES[family]}.py')
    found = count_complexity(cfg, (400, 400), depth=1)
    parts = sum(row.macs for row in found.rows[1:])
    # What is computed between the parts, such as attention, belongs to the head that calls it.
    assert parts == pytest.approx(found.total.macs, rel=0.01)
    assert 0 < found.fast_macs <= 1.01 * found.total.macs


def test_plain_forms_switch_every_part():
    cfg = load_config('ocrnet_hr18_512x512_20k_voc12aug')
    plain = plain_forms(cfg.model)
    heads = [part for _, part in parts_of(plain)][1:]
    assert [head['type'] for head in heads] == ['FCNHead', 'OCRHead']
    assert all(any(name in head for name in FAST_FORMS) for head in heads)
    assert all(head.get(name) is not True for head in heads for name in FAST_FORMS)
    assert not any(name in part for _, part in parts_of(cfg.model) for name in FAST_FORMS)
