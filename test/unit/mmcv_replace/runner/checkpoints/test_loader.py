"""Loaders by the beginning of a name, and what each of them does."""
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from mmcv_replace.fileio import FileClient
from mmcv_replace.runner import (
    CheckpointLoader,
    _load_checkpoint,
    _load_checkpoint_with_prefix,
    save_checkpoint,
)
from mmcv_replace.runner.checkpoint import (
    _process_mmcls_checkpoint,
    load_from_ceph,
    load_from_local,
    load_from_pavi,
    load_url,
)
from mmcv_replace.runner.checkpoints import pretrained
from mmcv_replace.utils.errors import CheckpointError


@pytest.fixture(autouse=True)
def schemes(monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))


@pytest.mark.parametrize(('filename', 'loader'), [
    ('x.pth', 'load_from_local'), ('/a/b.pth', 'load_from_local'), ('~/b.pth', 'load_from_local'),
    ('http://a/b.pth', 'load_from_http'), ('https://a/b.pth', 'load_from_http'),
    ('modelzoo://a', 'load_from_torchvision'), ('torchvision://a', 'load_from_torchvision'),
    ('open-mmlab://a', 'load_from_openmmlab'), ('openmmlab://a', 'load_from_openmmlab'),
    ('mmcls://a', 'load_from_mmcls'), ('pavi://a', 'load_from_pavi'),
    ('s3://a/b.pth', 'load_from_ceph'), ('cluster:s3://a/b.pth', 'load_from_ceph'),
    ('ss3://a/b.pth', 'load_from_local'), (' s3://a/b.pth', 'load_from_local'),
    (':s3://a/b.pth', 'load_from_local'), ('gs://a/b.pth', 'load_from_local'),
])
def test_which_loader_reads_what(filename, loader):
    assert CheckpointLoader._get_checkpoint_loader(filename).__name__ == loader


def test_a_loader_of_the_users(log_lines):
    @CheckpointLoader.register_scheme(prefixes=['ftp://', 'sftp://'])
    def load_from_ftp(filename, map_location):
        return {'state_dict': {}, 'from': (filename, map_location)}

    assert load_from_ftp('a', None)['from'] == ('a', None)
    for name in ('ftp://x', 'sftp://x'):
        assert _load_checkpoint(name, 'cpu')['from'] == (name, 'cpu')
        assert CheckpointLoader.load_checkpoint(name)['from'] == (name, None)
    with pytest.raises(KeyError, match="'ftp://' are loaded by load_from_ftp"):
        CheckpointLoader.register_scheme('ftp://', load_from_local)
    CheckpointLoader.register_scheme('ftp://', lambda *args: 'other', force=True)
    assert CheckpointLoader.load_checkpoint('ftp://x') == 'other'
    with pytest.raises(CheckpointError, match='holds a str, not a checkpoint'):
        _load_checkpoint('ftp://x')


def test_the_longest_prefix_decides():
    for prefix in ('a/b', 'a/b/c', 'a'):
        CheckpointLoader.register_scheme(prefix, lambda name, location, own=prefix: own)
    assert CheckpointLoader.load_checkpoint('a/b/c/d') == 'a/b/c'
    assert CheckpointLoader.load_checkpoint('a/b/x') == 'a/b'


def test_local_file(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    model = nn.Linear(1, 1)
    save_checkpoint(model, tmp_path / 'x.pth')
    assert torch.equal(load_from_local('~/x.pth')['state_dict']['weight'], model.weight)
    for error in (FileNotFoundError, CheckpointError):
        with pytest.raises(error, match='none.pth does not exist'):
            load_from_local('none.pth')


def test_where_tensors_are_put(tmp_path):
    torch.save({'w': torch.ones(1)}, tmp_path / 'x.pth')
    assert _load_checkpoint(tmp_path / 'x.pth')['w'].device.type == 'cpu'
    assert _load_checkpoint(tmp_path / 'x.pth', 'meta')['w'].device.type == 'meta'
    assert _load_checkpoint(tmp_path / 'x.pth', {'cpu': 'meta'})['w'].device.type == 'meta'
    assert _load_checkpoint(tmp_path / 'x.pth', lambda storage, place: storage)['w'] == 1


@pytest.mark.parametrize('prefix', ['conv', 'conv.'])
def test_a_part_of_a_checkpoint(tmp_path, prefix):
    model = nn.ModuleDict({'conv': nn.Conv2d(1, 1, 1), 'conv_2': nn.Conv2d(1, 2, 1)})
    torch.save(model.state_dict(), tmp_path / 'x.pth')
    part = _load_checkpoint_with_prefix(prefix, tmp_path / 'x.pth')
    assert part.keys() == {'weight', 'bias'}
    assert torch.equal(part['weight'], model['conv'].weight)


def test_a_part_that_is_not_there(tmp_path):
    torch.save({'a.w': torch.ones(1)}, tmp_path / 'x.pth')
    with pytest.raises(AssertionError, match=r"no weights with the prefix 'b\.'; its keys: a\.w"):
        _load_checkpoint_with_prefix('b', tmp_path / 'x.pth')


def test_the_backbone_of_a_classifier():
    weights = {'backbone.a': 1, 'head.b': 2}
    for checkpoint in ({'state_dict': weights}, weights):
        assert _process_mmcls_checkpoint(checkpoint) == {'state_dict': {'a': 1}}


class Store:
    """A backend that keeps bytes by their names."""

    def __init__(self):
        self.files, self.asked = {}, []

    def infer_client(self, file_client_args=None, uri=None):
        self.asked.append((file_client_args, uri))
        return SimpleNamespace(get=self.files.__getitem__,
                               put=lambda content, name: self.files.update({name: content}))


@pytest.fixture
def store(monkeypatch):
    made = Store()
    monkeypatch.setattr(FileClient, 'infer_client', made.infer_client, raising=False)
    return made


@pytest.mark.parametrize('name', ['s3://bucket/x.pth', 'gs://bucket/x.pth'])
def test_files_of_an_object_store(store, name):
    model = nn.Linear(1, 1)
    save_checkpoint(model, name, meta={'iter': 3})
    checkpoint = _load_checkpoint(name)
    assert torch.equal(checkpoint['state_dict']['weight'], model.weight)
    assert checkpoint['meta']['iter'] == 3
    assert store.asked == [(None, name)] * 2


def test_backend_by_name(store, tmp_path):
    name = str(tmp_path / 'x.pth')
    save_checkpoint(nn.Linear(1, 1), name, file_client_args={'backend': 'mine'})
    assert load_from_ceph(name, backend='mine')['state_dict'].keys() == {'weight', 'bias'}
    assert store.asked == [({'backend': 'mine'}, name)] * 2


def test_an_object_that_is_not_there(monkeypatch):
    def refuse(file_client_args=None, uri=None):
        raise CheckpointError('no such bucket')

    monkeypatch.setattr(FileClient, 'infer_client', refuse, raising=False)
    with pytest.raises(CheckpointError, match=r"'gs://a/b': no such bucket .*open-mmlab://"):
        _load_checkpoint('gs://a/b')


@pytest.fixture
def pavi(monkeypatch, tmp_path):
    """A stand-in for the package, with one file."""
    content = tmp_path / 'content'
    torch.save({'w': torch.ones(1)}, content)
    package = ModuleType('pavi')
    package.modelcloud = SimpleNamespace(get=lambda name: SimpleNamespace(
        name=name, download=lambda file: name == 'x.pth' and file.write_bytes(
            content.read_bytes())))
    monkeypatch.setitem(sys.modules, 'pavi', package)


def test_files_of_pavi(pavi):
    assert _load_checkpoint('pavi://x.pth')['w'] == 1
    with pytest.raises(FileNotFoundError):
        load_from_pavi('pavi://other.pth')
    with pytest.raises(AssertionError, match='begins with pavi://'):
        load_from_pavi('folder/x.pth')


def test_pavi_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pavi', None)
    with pytest.raises(CheckpointError, match='package pavi is not installed'):
        load_from_pavi('pavi://x.pth')


def test_load_url(monkeypatch, tmp_path):
    asked = []

    def provide(url, target, watch):
        asked.append((url, target))
        torch.save({'w': torch.ones(1)}, target)

    monkeypatch.setattr(pretrained, '_provide', provide)
    assert load_url('http://a/b.pth', model_dir=tmp_path)['w'] == 1
    assert load_url('http://a/b.pth', model_dir=tmp_path, file_name='c.pth')['w'] == 1
    assert asked == [('http://a/b.pth', tmp_path / 'b.pth'), ('http://a/b.pth', tmp_path / 'c.pth')]
