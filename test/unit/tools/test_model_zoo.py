"""tools/model_zoo.py: what it prints, and what it refuses."""
import hashlib
import json

import pytest

from mmcv_replace.utils.errors import CheckpointError, ConfigError
from mmseg.zoo import models
from mmseg.zoo.models import PublishedModel

NAME = 'pspnet/pspnet_r50-d8_512x512_20k_voc12aug'


@pytest.fixture
def zoo(run_tool):
    return lambda *arguments: run_tool('model_zoo.py', *arguments)


def test_list(zoo, capsys):
    zoo('list', 'pspnet', 'r50', 'VOC')
    text = capsys.readouterr().out
    assert f'| {NAME} | Pascal VOC 2012 + Aug |      20000 | 76.78 |' in text
    assert 'psanet' not in text
    zoo('list', NAME, '--json')
    found, = json.loads(capsys.readouterr().out)
    assert (found['name'], found['miou'], found['schedule']) == (NAME, 76.78, 20000)
    with pytest.raises(ConfigError, match="no model has 'pspnet' and 'moon' in its name"):
        zoo('list', 'pspnet', 'moon')


def test_download(zoo, capsys, tmp_path, monkeypatch):
    digest = hashlib.sha256(b'weights').hexdigest()[:8]
    (tmp_path / f'toy-{digest}.pth').write_bytes(b'weights')
    monkeypatch.setenv('MMSEG_MIRROR', str(tmp_path))
    known = {NAME: PublishedModel(NAME, miou=76.78, weights=f'https://host/toy-{digest}.pth'),
             'a/b': PublishedModel('a/b')}
    monkeypatch.setattr(models, 'published_models', lambda: known)
    zoo('download', NAME, '--folder', str(tmp_path / 'weights'))
    text = capsys.readouterr().out
    assert f'weights: {tmp_path}/weights/toy-{digest}.pth' in text
    assert 'published score: mIoU 76.78' in text
    assert 'Apache License 2.0' in text
    assert (tmp_path / f'weights/toy-{digest}.pth').read_bytes() == b'weights'
    with pytest.raises(CheckpointError, match='no weights of a/b were published'):
        zoo('download', 'b')
    with pytest.raises(ConfigError, match='x.py is a path, not the name of a model'):
        zoo('download', NAME, 'x.py')
