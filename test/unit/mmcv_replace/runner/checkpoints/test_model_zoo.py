"""Names of published weights, the user's tables of them, and weights on a disk."""
import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

import mmcv_replace
from mmcv_replace.runner import _load_checkpoint, load_checkpoint
from mmcv_replace.runner.checkpoint import (
    _get_mmcv_home,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)
from mmcv_replace.runner.checkpoints.model_zoo import SCHEMES, find_address
from mmcv_replace.utils.errors import CheckpointError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('MMCV_HOME', str(tmp_path))
    return tmp_path


def test_home(monkeypatch):
    monkeypatch.setenv('MMCV_HOME', '/some/where/')
    assert _get_mmcv_home() == '/some/where/'
    monkeypatch.delenv('MMCV_HOME')
    monkeypatch.setenv('XDG_CACHE_HOME', '/cache')
    assert _get_mmcv_home() == '/cache/mmcv'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert _get_mmcv_home() == os.path.expanduser('~/.cache/mmcv')


@pytest.mark.parametrize(('models', 'count', 'name', 'url'), [
    (get_external_models, 48, 'msra/hrnetv2_w18',
     'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth'),
    (get_mmcls_models, 57, 'resnet18', 'https://download.openmmlab.com/mmclassification/v0/resnet/'
     'resnet18_8xb32_in1k_20210831-fbbb1da6.pth'),
    (get_torchvision_models, 248, 'resnet50',
     'https://download.pytorch.org/models/resnet50-0676ba61.pth'),
])
def test_tables_are_those_of_mmcv(home, models, count, name, url):
    assert len(models()) == count
    assert models()[name] == url
    assert all(address.startswith('https://') for address in models().values())


def test_every_scheme_has_a_table(home):
    for scheme in SCHEMES:
        with pytest.raises(KeyError, match=f'{scheme}:// knows no .none such'):
            find_address(scheme, 'none such')


def test_entries_of_the_user_come_first(home):
    (home / 'open_mmlab.json').write_text(json.dumps({
        'resnet50_v1c': 'https://mirror/resnet50_v1c-2cccc1ad.pth', 'mine': 'folder/mine.pth'}))
    assert find_address('open-mmlab', 'resnet50_v1c') == 'https://mirror/resnet50_v1c-2cccc1ad.pth'
    assert find_address('openmmlab', 'mine') == str(home / 'folder/mine.pth')
    assert find_address('open-mmlab', 'resnet18_v1c').startswith('https://download.openmmlab.com')


def test_weights_in_the_home_need_no_network(home):
    source, target = nn.Linear(2, 1), nn.Linear(2, 1)
    torch.save(source.state_dict(), home / 'mine.pth')
    (home / 'open_mmlab.json').write_text(json.dumps({'mine': 'mine.pth', 'lost': 'lost.pth'}))
    load_checkpoint(target, 'open-mmlab://mine', strict=True)
    assert torch.equal(source.weight, target.weight)
    with pytest.raises(FileNotFoundError, match='lost.pth does not exist'):
        _load_checkpoint('open-mmlab://lost')


def test_a_former_name_is_told(home):
    assert get_deprecated_model_names()['resnet50_caffe'] == 'detectron/resnet50_caffe'
    with pytest.warns(UserWarning, match='open-mmlab://resnet50_caffe .*//detectron/resnet50_caff'):
        address = find_address('open-mmlab', 'resnet50_caffe')
    assert address == get_external_models()['detectron/resnet50_caffe']


def test_tables_are_read_from_the_package_that_is_in_force(home, monkeypatch, tmp_path):
    (tmp_path / 'model_zoo').mkdir()
    (tmp_path / 'model_zoo/open_mmlab.json').write_text('{"only": "https://here/x.pth"}')
    monkeypatch.setattr(mmcv_replace, '__path__', [str(tmp_path)])
    assert get_external_models() == {'only': 'https://here/x.pth'}


@pytest.mark.parametrize('content', ['{', '[1]', '{"a": 1}'])
def test_a_damaged_table_is_named(home, content):
    file = home / 'open_mmlab.json'
    file.write_text(content)
    with pytest.raises(CheckpointError, match=f'table of weights {file}'):
        get_external_models()


def test_the_remedy_of_an_unknown_name(home):
    with pytest.raises(CheckpointError) as error:
        find_address('torchvision', 'resnet51')
    assert "did you mean 'resnet50'" in str(error.value)
    assert 'and 238 more' in str(error.value)
    assert str(Path(home, 'torchvision.json')) in str(error.value)


def test_names_in_the_configs_of_the_reference(shared_dir):
    configs = json.loads((shared_dir / 'reference/configs_0.10.json').read_text())
    names = {cfg['model'].get('pretrained') for cfg in configs.values()} - {None}
    assert len(names) >= 13
    for name in names:
        scheme, _, rest = name.partition('://')
        assert find_address(scheme, rest).startswith('https://'), name
