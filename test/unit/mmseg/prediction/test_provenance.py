"""What decides the predictions of a folder is kept, and no others are added to them."""
import json
import re

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.provenance import NAME, check_same, describe_run, keep_description
from mmseg.prediction.records import RecordFile


def make_config(**changed):
    return Config(dict(dict(model=dict(type='X', pretrained='a', size=(1, 2)),
                            test_pipeline=[dict(type='LoadImageFromFile')]), **changed))


@pytest.fixture
def describe(tmp_path):
    def describe(cfg=None, weights=b'1', name='x.pth', averaged=False, **options):
        (tmp_path / name).write_bytes(weights)
        return describe_run(make_config() if cfg is None else cfg, str(tmp_path / name), averaged,
                            PredictOptions('out', **options))
    return describe


@pytest.fixture
def former(tmp_path):
    """Leaves a prediction with a description, as an earlier run has done."""
    def former(described):
        keep_description(tmp_path, described)
        records = RecordFile(tmp_path)
        records.add(dict(name='a.jpg'))
        records.close()
        return tmp_path
    return former


@pytest.mark.parametrize(('before', 'now', 'told'), [
    (dict(weights=b'1'), dict(weights=b'2', name='y.pth'),
     r'other weights, .*x\.pth then and .*y\.pth now'),
    ({}, dict(averaged=True), '--ema not given then and given now'),
    (dict(scale=1.0), dict(scale=0.5), '--scale 1.0 then and 0.5 now'),
    (dict(crop=[512, 512]), {}, '--crop 512 512 then and not given now'),
    (dict(scores='confidence'), dict(scores='probabilities'),
     '--scores confidence then and probabilities now'),
    (dict(threshold=0.5, legend=True), dict(tta=True),
     '--tta not given then and given now, --threshold 0.5 then and not given now'),
    ({}, dict(cfg=make_config(test_pipeline=[dict(type='LoadImageFromFile', color_type='bands')])),
     'another config of the model'),
    ({}, dict(cfg=make_config(fp16={})), 'another config of the model')])
def test_what_differs_is_told(describe, former, before, now, told):
    folder = former(describe(**before))
    with pytest.raises(ConfigError, match=f'--skip-existing: the predictions in .* were made '
                                          rf'differently: {told}.*Give what was given then'):
        check_same(folder, describe(**now))


@pytest.mark.parametrize(('before', 'now'), [
    ({}, dict(name='moved.pth')), (dict(legend=True, opacity=0.1), {}),
    (dict(batch=1), dict(batch=8, overlays=False)),
    (dict(crop=[512, 512]), dict(crop=(512, 512))), ({}, dict(scores='confidence')),
    ({}, dict(cfg=make_config(model=dict(type='X', pretrained=None, size=[1, 2]))))])
def test_what_changes_no_pixel_is_the_same(describe, former, before, now):
    check_same(former(describe(**before)), describe(**now))


def test_a_folder_that_nothing_is_known_of(describe, former, tmp_path):
    check_same(tmp_path / 'none', describe())
    keep_description(tmp_path, describe())
    check_same(tmp_path, describe(averaged=True))  # without predictions
    former(describe())
    for text in ('{"cut', '[]', '{}'):
        (tmp_path / NAME).write_text(text)
        check_same(tmp_path, describe(averaged=True))


def test_an_address_stands_for_its_weights():
    described = describe_run(make_config(), 'https://host/x.pth', False, PredictOptions('out'))
    assert described['weights'] == 'https://host/x.pth'


def test_people_can_read_it(describe, tmp_path):
    keep_description(tmp_path, describe(name='权重.pth', scale=1.0))
    text = (tmp_path / NAME).read_text(encoding='utf-8')
    assert re.search(r'"checkpoint": ".*权重\.pth"', text)
    assert json.loads(text)['scale'] == 1.0
