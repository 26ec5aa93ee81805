"""Checkpoints that are given away: published and converted ones."""
import hashlib
import logging
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner import load_checkpoint
from mmcv_replace.runner.checkpoints.conversion import convert_checkpoint
from mmcv_replace.runner.checkpoints.files import read_checkpoint
from mmcv_replace.runner.checkpoints.portable import publish_model, write_portable
from mmcv_replace.utils.errors import CheckpointError

CLASSES, PALETTE = ('road', 'car'), [[128, 64, 128], [0, 0, 142]]


def make(folder, **more):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    checkpoint = dict(
        meta=dict(CLASSES=CLASSES, PALETTE=PALETTE, config='model = dict()', iter=7,
                  env_info='my machine', hook_msgs=dict(best_ckpt='/home/me/best.pth'), run_id='x'),
        state_dict=model.state_dict(), optimizer=dict(state={}, param_groups=[]),
        message_hub=dict(log_scalars={}), scaler={}, run_state=dict(a=1), **more)
    torch.save(checkpoint, folder / 'in.pth')
    return folder / 'in.pth', checkpoint['state_dict']


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(found[key], value), key


@pytest.mark.parametrize('out', ['m', 'm.pth', 'm.pt', 'm-0123abcd.pth', 'm.safetensors'])
@pytest.mark.parametrize('safetensors', [False, True])
def test_published(tmp_path, out, safetensors):
    source, state = make(tmp_path)
    path = publish_model(source, tmp_path / out, safetensors=safetensors)
    suffix = '.safetensors' if safetensors or out.endswith('safetensors') else '.pth'
    content = path.read_bytes()
    assert path.name == f'm-{hashlib.sha256(content).hexdigest()[:8]}{suffix}'
    assert b'my machine' not in content
    assert b'/home/me' not in content
    found = read_checkpoint(path)
    assert found.keys() == {'meta', 'state_dict'}
    assert_equal(found['state_dict'], state)
    assert list(found['meta']['CLASSES']) == list(CLASSES)
    assert found['meta']['PALETTE'] == PALETTE
    assert found['meta']['config'] == 'model = dict()'
    assert int(found['meta']['iter']) == 7
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    load_checkpoint(model, path, strict=True)
    assert_equal(model.state_dict(), state)


def test_the_same_weights_have_the_same_name(tmp_path):
    source, _ = make(tmp_path)
    assert publish_model(source, tmp_path / 'a') == publish_model(source, tmp_path / 'a')


def test_versions_of_modules_are_kept(tmp_path):
    source, state = make(tmp_path)
    path = publish_model(source, tmp_path / 'a')
    assert read_checkpoint(path)['state_dict']._metadata == state._metadata


@pytest.mark.parametrize('averaged', [False, True])
def test_the_names_are_those_of_the_model_without_its_wrapper(tmp_path, averaged):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    wrapped = nn.Module()
    wrapped.module = model
    source = saved(tmp_path / 'in.pth', state_dict=wrapped.state_dict(),
                   ema_state_dict=wrapped.state_dict())
    found = read_checkpoint(publish_model(source, tmp_path / 'a', averaged))['state_dict']
    assert_equal(found, model.state_dict())
    assert found._metadata == model.state_dict()._metadata


@pytest.mark.parametrize('name', ['m-20200617', 'm-v2', 'm'])
def test_what_is_no_hash_stays_in_the_name(tmp_path, name):
    source, _ = make(tmp_path)
    for suffix in ('', '.pth'):
        path = publish_model(source, tmp_path / f'{name}{suffix}')
        assert path.name.startswith(f'{name}-')
        again = publish_model(path, path)
        assert again.name.rpartition('-')[0] == name


@pytest.mark.parametrize('content', [{}, dict(state_dict={}), dict(meta={}, state_dict={})])
def test_no_weights(tmp_path, content):
    source = saved(tmp_path / 'in.pth', **content)
    with pytest.raises(CheckpointError, match='the checkpoint holds no weights: there is nothing'):
        publish_model(source, tmp_path / 'out')
    for to in ('0.x', '1.x', 'timm'):
        with pytest.raises(CheckpointError, match=r'in.pth holds no weights'):
            convert_checkpoint(source, tmp_path / 'out.pth', to)
    assert [file.name for file in tmp_path.iterdir()] == ['in.pth']


def test_places_that_are_taken(tmp_path):
    source, _ = make(tmp_path)
    (tmp_path / 'folder').mkdir()
    with pytest.raises(CheckpointError, match='folder is a folder: add the name of the file'):
        publish_model(source, tmp_path / 'folder')
    source = saved(tmp_path / 'in.pth', state_dict=segmentor())
    (tmp_path / 'link.pth').symlink_to(source)
    before = source.read_bytes()
    with pytest.raises(CheckpointError, match='folder is a folder: add the name of the file'):
        convert_checkpoint(source, tmp_path / 'folder', '1.x')
    for target in (source, tmp_path / 'link.pth'):
        with pytest.raises(CheckpointError, match='is the checkpoint to convert: give the result '):
            convert_checkpoint(source, target, '1.x')
    assert source.read_bytes() == before


def test_averaged_weights(tmp_path):
    average = {'0.weight': torch.ones(1)}
    source, _ = make(tmp_path, ema_state_dict=average)
    path = publish_model(source, tmp_path / 'a', averaged=True)
    assert_equal(read_checkpoint(path)['state_dict'], average)
    plain = read_checkpoint(publish_model(source, tmp_path / 'a'))
    assert plain.keys() == {'meta', 'state_dict'}
    assert '1.weight' in plain['state_dict']
    source, _ = make(tmp_path)
    with pytest.raises(CheckpointError, match=r'in.pth has no averaged weights'):
        publish_model(source, tmp_path / 'a', averaged=True)


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_tied_strided_and_partial_tensors(tmp_path, suffix):
    whole = torch.arange(40000.).view(2, 4, 50, 100)
    state = dict(a=whole, b=whole, c=whole.contiguous(memory_format=torch.channels_last),
                 d=whole[:1, :1], e=whole.transpose(2, 3), f=torch.tensor(3))
    path = write_portable(dict(meta={}, state_dict=state), tmp_path / f'x{suffix}')
    assert_equal(read_checkpoint(path)['state_dict'], state)
    assert path.stat().st_size < 4 * 40000 * 4.2 + 10000  # no part drags the whole along
    assert all(value.is_contiguous() for value in read_checkpoint(path)['state_dict'].values())


def test_arrays_in_the_meta_data(tmp_path):
    source = tmp_path / 'in.pth'
    torch.save(dict(meta=dict(PALETTE=np.array(PALETTE)), state_dict={'a.weight': torch.ones(1)}),
               source)
    for suffix in ('.pth', '.safetensors'):
        meta = read_checkpoint(publish_model(source, tmp_path / f'm{suffix}'))['meta']
        assert meta['PALETTE'] == PALETTE


def test_what_is_no_weight(tmp_path):
    torch.save(dict(state_dict={'a': torch.ones(1), 'head._extra_state': {'x': 1}}),
               tmp_path / 'in.pth')
    with pytest.raises(CheckpointError, match='head._extra_state in the weights: no tensors'):
        publish_model(tmp_path / 'in.pth', tmp_path / 'out')


def test_a_place_that_cannot_be_written(tmp_path):
    source, _ = make(tmp_path)
    (tmp_path / 'file').write_text('')
    with pytest.raises(CheckpointError, match=r'cannot write .*file/m-\w{8}.pth: .*another place'):
        publish_model(source, tmp_path / 'file/m.pth')


def test_no_safetensors(tmp_path, monkeypatch):
    source, _ = make(tmp_path)
    monkeypatch.setitem(__import__('sys').modules, 'safetensors.torch', None)
    with pytest.raises(ImportError, match=r'a .safetensors file needs safetensors.torch.*pip'):
        publish_model(source, tmp_path / 'm', safetensors=True)


def segmentor():
    keys = ['backbone.conv1.weight', 'backbone.bn1.running_mean', 'backbone.layer1.0.conv1.weight',
            'decode_head.conv_seg.weight']
    return OrderedDict((key, torch.randn(2)) for key in keys)


def saved(path, **content):
    torch.save(content, path)
    return path


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_from_1_to_0_and_back(tmp_path, suffix):
    state = segmentor()
    newer = saved(tmp_path / 'new.pth', message_hub={}, optimizer={}, param_schedulers=[],
                  meta=dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE), cfg='a = 1',
                            epoch=0, iter=9, experiment_name='e'),
                  state_dict={'data_preprocessor.mean': torch.ones(3), **state})
    older = convert_checkpoint(newer, tmp_path / f'old{suffix}', '0.x')
    found = read_checkpoint(older)
    assert_equal(found['state_dict'], state)
    assert list(found['meta']['CLASSES']) == list(CLASSES)
    assert found['meta']['PALETTE'] == PALETTE
    assert 'dataset_meta' not in found['meta']
    assert found.keys() == {'meta', 'state_dict'}
    back = read_checkpoint(convert_checkpoint(older, tmp_path / f'back{suffix}', '1.x'))
    assert_equal(back['state_dict'], state)
    assert back['meta']['dataset_meta']['palette'] == PALETTE
    assert list(back['meta']['dataset_meta']['classes']) == list(CLASSES)
    assert 'CLASSES' not in back['meta']


def test_a_1_x_file_loads_strictly(tmp_path):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.decode_head = nn.Linear(2, 2)

    model = Model()
    state = {'data_preprocessor.std': torch.ones(3), **model.state_dict()}
    path = saved(tmp_path / 'new.pth', meta={}, state_dict=state)
    load_checkpoint(model, path, strict=True)


def test_a_wrapped_segmentor(tmp_path):
    state = segmentor()
    source = saved(tmp_path / 'in.pth', state_dict={f'module.{key}': state[key] for key in state})
    found = read_checkpoint(convert_checkpoint(source, tmp_path / 'out.pth', '0.x'))
    assert_equal(found['state_dict'], state)


@pytest.mark.parametrize('to', ['torchvision', 'timm'])
def test_a_segmentor_becomes_a_backbone_of_others(tmp_path, caplog, to):
    state = segmentor()
    source = saved(tmp_path / 'in.pth', meta={}, state_dict=state)
    with caplog.at_level(logging.INFO, 'mmseg'):
        path = convert_checkpoint(source, tmp_path / 'out.pth', to)
    expected = {key.removeprefix('backbone.'): value for key, value in list(state.items())[:3]}
    assert_equal(torch.load(path, weights_only=True), expected)
    assert f'left out decode_head.conv_seg.weight, which {to} does not have' in caplog.text


@pytest.mark.parametrize('to', ['0.x', '1.x'])
def test_a_classifier_becomes_our_backbone(tmp_path, caplog, to):
    state = {'conv1.0.weight': torch.randn(2), 'bn1.weight': torch.randn(2),
             'layer1.0.conv1.weight': torch.randn(2), 'fc.weight': torch.randn(2)}
    source = tmp_path / 'in.pth'
    torch.save(state, source)
    with caplog.at_level(logging.INFO, 'mmseg'):
        found = read_checkpoint(convert_checkpoint(source, tmp_path / 'out.pth', to))
    assert_equal(found['state_dict'], {
        'stem.0.weight': state['conv1.0.weight'], 'stem.7.weight': state['bn1.weight'],
        'layer1.0.conv1.weight': state['layer1.0.conv1.weight']})
    assert 'left out fc.weight, which a segmentor does not have' in caplog.text


def test_many_weights_that_are_left_out(tmp_path, caplog):
    state = {'layer1.0.conv1.weight': torch.ones(1), **{f'x{i}.w': torch.ones(1) for i in range(7)}}
    with caplog.at_level(logging.INFO, 'mmseg'):
        convert_checkpoint(saved(tmp_path / 'in.pth', state_dict=state), tmp_path / 'o.pth', 'timm')
    assert 'left out x0.w, x1.w, x2.w, x3.w, x4.w and 2 more, which timm' in caplog.text


def test_an_unknown_format(tmp_path):
    source, _ = make(tmp_path)
    with pytest.raises(CheckpointError, match=r"no format '2.x': use one of 0.x, 1.x, torchvision"):
        convert_checkpoint(source, tmp_path / 'o.pth', '2.x')
