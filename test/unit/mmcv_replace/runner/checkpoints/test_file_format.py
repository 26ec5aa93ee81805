"""Files and folders that are no checkpoint of PyTorch, given as one: named as what they are."""
import gzip
import io
import json
import pickle
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner import load_checkpoint
from mmcv_replace.runner.checkpoint import read_checkpoint, read_meta
from mmcv_replace.runner.checkpoints.file_format import describe_file
from mmcv_replace.utils.errors import CheckpointError


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace('__', '/').replace('_dot_', '.'), content)
    return buffer.getvalue()


def saved(function, value):
    buffer = io.BytesIO()
    function(buffer, value)
    return buffer.getvalue()


def tar(*names):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as file:
        for name in names:
            file.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def script():
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(('name', 'content', 'told'), [
    ('a.pth', b'', r'is empty \(0 bytes\)'),
    ('a.pth', b'version https://git-lfs.github.com/spec/v1\noid sha256:ab', 'git-lfs, .*lfs pull'),
    ('a.pth', b'\n<!DOCTYPE html>\n<html><head>', 'a web page'),
    ('a.pth', b'<HTML>', 'a web page'),
    ('a.pth', b"<?xml version='1.0'?><Error>", 'an XML document'),
    ('a.pth', b'{"message": "not found"}', r"a text, which begins with '\{\"message"),
    ('a.pth', '文'.encode() * 3000, "a text, which begins with '文文"),
    ('last_checkpoint', b'/runs/iter_3.pth', "begins with '/runs/iter_3.pth'"),
    ('a.h5', b'\x89HDF\r\n\x1a\n' + bytes(99), r'an HDF5 file \(Keras'),
    ('a.om', b'IMOD' + bytes(99), 'offline model of Ascend'),
    ('a.om', b'\xff' * 99, 'offline model of Ascend'),
    ('a.pth', b'\x08\x08\x12\x07pytorch\x1a' + bytes(range(99)), 'an ONNX model'),
    ('a.onnx', b'\xff\x00' * 99, 'an ONNX model'),
    ('a.pdparams', pickle.dumps({'w': np.zeros(2)}, 4), 'weights of PaddlePaddle'),
    ('a.pdparams', pickle.dumps({'w': np.zeros(2)}, 2), 'weights of PaddlePaddle'),
    ('a.pth', pickle.dumps({'w': 1}, 2), 'a Python pickle that torch.save did not write'),
    ('a.pth', pickle.dumps({'w': 1}, 5), 'a pickle of protocol 5'),
    ('a.ckpt', b'\x0a\xff\xfe' * 20, 'of another framework'),
    ('a.tflite', b'\x1c\0\0\0TFL3', 'TensorFlow Lite'),
    ('a.pth', gzip.compress(b'x', mtime=0), 'packed by gzip. Unpack'),
    ('a.pth', tar('model.pth'), 'a tar archive. Unpack'),
    ('a.pth', tar('sys_info', 'pickle', 'tensors', 'storages'), 'form of PyTorch 0.1'),
    ('a.zip', archive(iter_1_dot_pth=bytes(9999), readme='x'),
     r'zip archive of something else \(iter_1\.pth, readme\). Unpack'),
    ('a.zip', archive(), r'\(nothing\)'),
    ('a.npy', saved(np.save, np.zeros(3)), r'a NumPy array \(\.npy\)'),
    ('a.npz', saved(np.savez, np.zeros(3)), r'\(\.npz\)'),
    ('a.keras', archive(config_dot_json='{}', model_dot_weights_dot_h5='x'), 'a model of Keras'),
    ('a.pt2', archive(archive__models__model_dot_json='{}'), 'torch.export'),
    ('a.jpg', b'\xff\xd8\xff\xe0' + bytes(99), 'an image or a document. Give the checkpoint in'),
    ('config.py', b'model = dict()', 'a Python file'),
    ('a.ckpt', b'all_model_checkpoint_paths', 'a text, which begins with'),
    ('a.pth', b'\xff\xfe\x00' * 40, 'damaged or not a checkpoint'),
])
@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_what_a_file_is(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    for read in (read_checkpoint, read_meta):
        with pytest.raises(CheckpointError, match=rf'(?s){name} cannot be read.*{told}'):
            read(tmp_path / name)


@pytest.mark.filterwarnings('ignore:`torch.jit:DeprecationWarning')
def test_a_torchscript_program(tmp_path):
    (tmp_path / 'a.pt').write_bytes(script())
    with pytest.raises(CheckpointError, match=r'a TorchScript program.*torch\.jit\.load\(FILE\)'):
        read_checkpoint(tmp_path / 'a.pt')


def test_checkpoints_are_told_to_be_nothing_else(tmp_path):
    for zipped in (True, False):
        torch.save({'state_dict': {'w': torch.ones(2)}}, tmp_path / 'a.ckpt',
                   _use_new_zipfile_serialization=zipped)
        assert describe_file(tmp_path / 'a.ckpt') is None
        content = (tmp_path / 'a.ckpt').read_bytes()
        (tmp_path / 'cut.ckpt').write_bytes(content[:len(content) // 2])
        with pytest.raises(CheckpointError, match='damaged'):
            read_checkpoint(tmp_path / 'cut.ckpt')


@pytest.mark.parametrize(('files', 'told'), [
    ([], 'without a checkpoint'),
    (['iter_1.pth', 'latest.pth'], r'with 2 checkpoints: give one of them, such as .*latest\.pth'),
    (['model.safetensors'], r'model\.safetensors'),
    (['.metadata', '__0_0.distcp'], 'dcp_to_torch'),
    (['saved_model.pb'], 'SavedModel of TensorFlow'),
    (['archive/data.pkl'], 'a checkpoint was unpacked into'),
])
def test_what_a_folder_is(tmp_path, files, told):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=rf'is a folder .*{told}'):
        read_checkpoint(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    torch.save({}, tmp_path / 'x.pth')

    def refuse(*_):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr('mmcv_replace.runner.checkpoints.files.is_safetensors', refuse)
    with pytest.raises(CheckpointError, match='cannot be read: .*Permission denied$'):
        read_checkpoint(tmp_path / 'x.pth')


def lightning(model):
    return {'epoch': 1, 'pytorch-lightning_version': '2.4.0', 'callbacks': {},
            'state_dict': {f'net.{key}': value for key, value in model.state_dict().items()}}


def test_a_prefix_alone_is_named_with_the_remedy(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2))
    torch.save(lightning(model), tmp_path / 'x.ckpt')
    with pytest.raises(CheckpointError, match=r"Without the prefix 'net\.' 2 of its keys would fit"
                                              r".*removeprefix\('net\.'\)") as error:
        load_checkpoint(nn.Sequential(nn.Linear(2, 2)), tmp_path / 'x.ckpt')
    # What the message says is a line that works.
    line = 'torch.save(' + str(error.value).split('torch.save(')[1]
    exec(line, {
        'torch': torch, 'state_dict': torch.load(tmp_path / 'x.ckpt')['state_dict'],
        'new': tmp_path / 'new.pth'})
    load_checkpoint(model, tmp_path / 'new.pth', strict=True)


@pytest.fixture
def weights(tmp_path):
    """A safetensors file of a model, and the model."""
    save_file = pytest.importorskip('safetensors.torch').save_file
    model = nn.Linear(2, 2)
    save_file(dict(model.state_dict()), tmp_path / 'x.safetensors', metadata={
        'format': 'pt', 'CLASSES': json.dumps(['road', 'car']), 'step': '3'})
    return tmp_path / 'x.safetensors', model


def test_safetensors_load(weights):
    path, model = weights
    path = path.rename(path.with_suffix('.pth'))  # the content tells
    other = nn.Linear(2, 2)
    checkpoint = load_checkpoint(other, path, strict=True)
    assert torch.equal(other.weight, model.weight)
    assert checkpoint['meta'] == {'format': 'pt', 'CLASSES': ['road', 'car'], 'step': '3'}
    outline = read_meta(path)['state_dict']['weight']
    assert (outline.device.type, outline.shape) == ('meta', (2, 2))


def test_a_damaged_safetensors_file(weights):
    path, _ = weights
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match='a safetensors file that is damaged'):
        read_checkpoint(path)


def test_safetensors_without_the_package(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, 'safetensors', None)
    with pytest.raises(CheckpointError, match=r'is a safetensors file, .* not installed: pip '
                                              r'install safetensors .*mmseg-ascend\[safetensors\]'):
        read_checkpoint(weights[0])


def test_a_page_under_the_name_of_safetensors(tmp_path):
    (tmp_path / 'x.safetensors').write_text('<html>')
    with pytest.raises(CheckpointError, match='a web page'):
        read_checkpoint(tmp_path / 'x.safetensors')
