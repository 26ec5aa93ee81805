import collections
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import save_checkpoint
from mmcv_replace.runner.checkpoint import read_checkpoint
from mmcv_replace.runner.checkpoints.files import point_latest_at
from mmcv_replace.runner.checkpoints.serialize import serialize
from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.errors import CheckpointError
from mmcv_replace.version import __version__

Pair = collections.namedtuple('Pair', 'a b')


@pytest.mark.parametrize(('value', 'plain'), [
    (np.float64(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (np.str_('a'), 'a'),
    (np.array([[1, 2]]), [[1, 2]]), (Path('a/b'), 'a/b'), (Pair(1, np.float32(2)), (1, 2.0)),
    (collections.OrderedDict(a=1), {'a': 1}), (ConfigDict(a=[ConfigDict(b=1)]), {'a': [{'b': 1}]}),
    ({np.int64(1): None}, {1: None}), (torch.Size([2]), (2,)), (b'x', b'x'),
])
def test_serialize(value, plain):
    result = serialize(value)
    assert result == plain
    assert type(result) is type(plain)


def test_serialize_detaches_tensors():
    tensor = serialize({'a': nn.Parameter(torch.ones(2))})['a']
    assert type(tensor) is torch.Tensor
    assert not tensor.requires_grad


@pytest.mark.parametrize(('value', 'place'), [
    ({'a': [1, {'b': {1}}]}, r"checkpoint\['a'\]\[1\]\['b'\] is a builtins.set"),
    ({'model': nn.ReLU()}, r"\['model'\] is a torch.nn.modules.activation.ReLU"),
    (np.array([object()]), r'checkpoint\[0\] is a builtins.object'),
    ({frozenset(): 1}, 'a key of checkpoint is a builtins.frozenset'),
])
def test_serialize_names_what_it_refuses(value, place):
    with pytest.raises(CheckpointError, match=place):
        serialize(value)


def test_saved_file_is_plain(make_model, tmp_path):
    model = make_model()
    model.CLASSES, model.PALETTE = ('cat', 'dog'), np.array([[1, 2, 3]])
    optimizer = torch.optim.Adam(model.parameters())
    model.layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    save_checkpoint(MMDataParallel(model), tmp_path / 'a' / 'x.pth', optimizer,
                    {'score': np.float64(0.5), 'config': Path('c.py')})
    stored = torch.load(tmp_path / 'a' / 'x.pth', weights_only=True)
    assert list(stored) == ['meta', 'state_dict', 'optimizer']
    assert list(stored['state_dict']) == ['layer.weight', 'layer.bias']
    assert stored['state_dict']._metadata['layer'] == {'version': 1}
    assert stored['meta'].pop('time')
    assert stored['meta'] == {'score': 0.5, 'config': 'c.py', 'CLASSES': ('cat', 'dog'),
                              'PALETTE': [[1, 2, 3]], 'mmcv_version': __version__}
    assert torch.equal(stored['optimizer']['state'][0]['exp_avg'],
                       optimizer.state_dict()['state'][0]['exp_avg'])


def test_unfit_meta_writes_nothing(make_model, tmp_path):
    with pytest.raises(CheckpointError, match=r"checkpoint\['meta'\]\['hook'\]"):
        save_checkpoint(make_model(), tmp_path / 'x.pth', meta={'hook': object()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('error', [OSError('disk full'), RuntimeError('writer failed'),
                                   KeyboardInterrupt()])
def test_failure_while_writing_leaves_the_old_file(make_model, tmp_path, monkeypatch, error):
    path = tmp_path / 'x.pth'
    save_checkpoint(make_model(), path, meta={'n': 1})

    def write_half(content, file):
        file.write(b'half of it')
        raise error

    monkeypatch.setattr(torch, 'save', write_half)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else CheckpointError
    with pytest.raises(expected):
        save_checkpoint(make_model(), path, meta={'n': 2})
    assert read_checkpoint(path)['meta']['n'] == 1
    assert os.listdir(tmp_path) == ['x.pth']


def test_latest_is_a_link_that_moves(make_model, tmp_path):
    for name in ('a.pth', 'b.pth'):
        save_checkpoint(make_model(), tmp_path / name, meta={'name': name})
        point_latest_at(tmp_path / name)
        assert os.readlink(tmp_path / 'latest.pth') == name
    assert sorted(os.listdir(tmp_path)) == ['a.pth', 'b.pth', 'latest.pth']


def test_latest_is_a_copy_where_there_are_no_links(make_model, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError('no links here')

    monkeypatch.setattr(os, 'symlink', refuse)
    save_checkpoint(make_model(), tmp_path / 'a.pth')
    point_latest_at(tmp_path / 'a.pth')
    assert not (tmp_path / 'latest.pth').is_symlink()
    assert (tmp_path / 'latest.pth').read_bytes() == (tmp_path / 'a.pth').read_bytes()


class Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize('zipped', [True, False])
def test_pickled_code_is_refused_and_not_run(tmp_path, zipped):
    torch.save({'state_dict': {}, 'meta': Attack(tmp_path / 'ran')}, tmp_path / 'evil.pth',
               _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r'evil\.pth is not loaded.*posix\.mkdir'):
        read_checkpoint(tmp_path / 'evil.pth')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_plain_pickle_is_refused_and_not_run(tmp_path):
    (tmp_path / 'evil.pth').write_bytes(pickle.dumps(Attack(tmp_path / 'ran')))
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / 'evil.pth')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('old_name', [True, False])
def test_numpy_values_of_old_checkpoints_load(tmp_path, zipped, old_name):
    torch.save({'meta': {'score': np.float64(0.5), 'n': np.int64(3),
                         'PALETTE': np.array([[1, 2, 3]])}}, tmp_path / 'old.pth',
               _use_new_zipfile_serialization=zipped)
    if old_name and not zipped:  # written by NumPy 1
        content = (tmp_path / 'old.pth').read_bytes()
        (tmp_path / 'old.pth').write_bytes(content.replace(b'numpy._core.', b'numpy.core.'))
    meta = read_checkpoint(tmp_path / 'old.pth')['meta']
    assert (meta['score'], meta['n'], meta['PALETTE'].tolist()) == (0.5, 3, [[1, 2, 3]])


def test_arrays_of_objects_are_refused(tmp_path):
    torch.save({'meta': np.array([Attack(tmp_path / 'ran')])}, tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / 'evil.pth')
    assert not (tmp_path / 'ran').exists()


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(CheckpointError, match=r'none\.pth does not exist'):
        read_checkpoint(tmp_path / 'none.pth')
    with pytest.raises(CheckpointError, match='is a folder'):
        read_checkpoint(tmp_path)


def test_other_content(tmp_path):
    torch.save([1], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match='holds a list'):
        read_checkpoint(tmp_path / 'list.pth')
    (tmp_path / 'text.pth').write_text('<html>not found</html>')
    with pytest.raises(CheckpointError, match=r'text\.pth cannot be read: it is a web page'):
        read_checkpoint(tmp_path / 'text.pth')


def test_changed_weights_are_noticed(make_model, tmp_path):
    model = make_model()
    save_checkpoint(model, tmp_path / 'x.pth')
    content = (tmp_path / 'x.pth').read_bytes()
    weight = model.layer.weight.detach().numpy().tobytes()
    assert content.count(weight) == 1
    changed = bytes([weight[0] ^ 1]) + weight[1:]
    (tmp_path / 'flip.pth').write_bytes(content.replace(weight, changed))
    with pytest.raises(CheckpointError, match='checksum'):
        read_checkpoint(tmp_path / 'flip.pth')


def test_every_truncation_is_noticed(make_model, tmp_path):
    save_checkpoint(make_model(), tmp_path / 'x.pth', meta={'n': 1})
    content = (tmp_path / 'x.pth').read_bytes()
    for length in np.linspace(1, len(content) - 1, 25).astype(int):
        (tmp_path / 'cut.pth').write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r'cut\.pth cannot be read'):
            read_checkpoint(tmp_path / 'cut.pth')


def test_a_lack_of_memory_is_not_called_damage_alone(make_model, tmp_path, monkeypatch):
    save_checkpoint(make_model(), tmp_path / 'x.pth')

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(torch, 'load', fail)
    with pytest.raises(CheckpointError, match='cannot be read: there is not enough memory for it'):
        read_checkpoint(tmp_path / 'x.pth')
