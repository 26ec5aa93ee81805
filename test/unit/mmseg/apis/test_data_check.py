"""The look at the data before a training: what stops it, what is only told, on every process."""
import json
import logging

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.runner import heartbeat
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.data_check import check_training_data
from mmseg.apis.datasets import build_split
from mmseg.datasets import build_dataloader


@pytest.fixture
def cfg(tmp_path):
    """200 images to train on (four files) and one to validate on."""
    for folder in ('img', 'ann'):
        (tmp_path / folder).mkdir()
    for number, name in enumerate('abcdv'):
        label = np.arange(64, dtype=np.uint8).reshape(8, 8) % 3
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / f'img/{name}.jpg')
        Image.fromarray(label).save(tmp_path / f'ann/{name}.png')
    (tmp_path / 'train.txt').write_text('a\nb\nc\nd\n' * 50)
    (tmp_path / 'val.txt').write_text('v\n')
    common = dict(type='CustomDataset', data_root=str(tmp_path), img_dir='img', ann_dir='ann',
                  classes=['x', 'y', 'z'], pipeline=[dict(type='LoadImageFromFile'),
                                                     dict(type='LoadAnnotations')])
    return Config(dict(data=dict(train=dict(common, split='train.txt'),
                                 val=dict(common, split='val.txt'))))


def with_val(cfg, dataset):
    return {'train': dataset, 'val': build_split(cfg, 'val', may_lack_files=True)}


def check(cfg, validate=True, folder=None):
    names = ('train', 'val') if validate else ('train',)
    splits = {name: build_split(cfg, name, name == 'val') for name in names}
    check_training_data(cfg, splits, folder)


def test_good_data_pass_and_the_log_tells_how_many(cfg, caplog):
    caplog.set_level(logging.INFO)
    check(cfg)

    [line] = [record.getMessage() for record in caplog.records if record.name == 'mmseg']
    assert line.startswith('Data check (quick): samples looked at: train 64, val 1, in ')


@pytest.mark.parametrize(('damage', 'told'), [
    (lambda root: (root / 'img/b.jpg').write_bytes(b'\xff\xd8'), 'truncated files.*img/b.jpg'),
    (lambda root: (root / 'ann/d.png').unlink(), 'missing files.*ann/d.png'),
    (lambda root: (root / 'ann/v.png').write_bytes(b'x'), r'unreadable files: 1.*v.png.*\(val\)'),
    (lambda root: Image.fromarray(np.full((8, 8), 7, np.uint8)).save(root / 'ann/c.png'),
     'no class: .*ann/c.png: holds 7'),
    (lambda root: [Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(root / f'ann/{name}.png')
                   for name in 'abcd'], 'masks of two values.*label_map')])
def test_errors_stop_the_training(cfg, tmp_path, damage, told):
    dataset = build_split(cfg, 'train')
    damage(tmp_path)

    with pytest.raises(DataError, match=f'(?s){told}.*python tools/check_dataset.py CONFIG lists '
                                        "everything.*data.check='off' trains regardless"):
        check_training_data(cfg, with_val(cfg, dataset))
    cfg.data.check = 'off'
    check_training_data(cfg, with_val(cfg, dataset))


def test_the_config_is_named_in_the_remedy(cfg, tmp_path):
    dataset = build_split(cfg, 'train')
    (tmp_path / 'img/b.jpg').unlink()
    (tmp_path / 'my.py').write_text(cfg.pretty_text)
    with pytest.raises(DataError, match=r'python tools/check_dataset\.py .*my\.py lists'):
        check_training_data(Config.fromfile(tmp_path / 'my.py'), {'train': dataset})


def test_without_validation_its_data_are_not_looked_at(cfg, tmp_path):
    (tmp_path / 'ann/v.png').unlink()

    check(cfg, validate=False)
    del cfg.data['val']
    check(cfg, validate=False)


def test_warnings_are_logged_once_each(cfg, tmp_path, caplog):
    for name in 'ab':
        Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / f'ann/{name}.png')
    (tmp_path / 'val.txt').write_text('c\n')
    check(cfg)

    told = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert len(told) == 2
    assert told[0].startswith('Data check: leak: training images that are also validated')
    assert f'{tmp_path}/img/c.jpg: is in val too (train)' in told[0]
    assert 'masks without a pixel that counts: 32, first' in told[1]


@pytest.mark.parametrize('on_error', ['skip', dict(action='skip', max_skipped=3)])
def test_files_that_will_be_skipped_are_warnings(cfg, tmp_path, caplog, on_error):
    (tmp_path / 'img/a.jpg').unlink()
    (tmp_path / 'img/b.jpg').write_bytes(b'')
    (tmp_path / 'img/c.jpg').write_bytes(b'?')
    cfg.data.on_error = on_error
    check(cfg)
    told = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert [line.split(':')[1] for line in told] == [
        ' missing files', ' truncated files', ' unreadable files']
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(tmp_path / 'ann/d.png')
    with pytest.raises(DataError, match=r'masks with values that are no class: \d+, first'):
        check(cfg)


BAD = {'a': np.zeros((9, 8)), 'b': np.full((8, 8), 7), 'c': np.zeros((8, 8, 3))}


@pytest.fixture
def bad_masks(tmp_path):
    """One mask of another size, one with a wrong label, one of colours; the fourth is good."""
    for name, label in BAD.items():
        Image.fromarray(label.astype(np.uint8)).save(tmp_path / f'ann/{name}.png')


def test_whatever_a_run_will_skip_is_a_warning(cfg, bad_masks, caplog):
    with pytest.raises(DataError, match=r'(?s)another size.*masks of colours.*no class'):
        check(cfg)
    cfg.data.on_error = 'skip'
    check(cfg)
    told = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert [line.split(':')[1] for line in told] == [
        ' masks of another size than their images', ' masks of colours',
        ' masks with values that are no class']
    # What is a warning here is what the run skips.
    loader = build_dataloader(build_split(cfg, 'train'), 4, 0, dist=False, max_skipped=100)
    for _ in loader:
        pass
    assert {file[-5:] for file in loader.skipped} == {'a.jpg', 'b.jpg', 'c.jpg'}


@pytest.mark.parametrize('make_worse', [
    lambda cfg, root: cfg.data.update(on_error=dict(action='skip', max_skipped=2)),
    lambda cfg, root: Image.fromarray(np.full((8, 8), 7, np.uint8)).save(root / 'ann/d.png'),
    lambda cfg, root: Image.fromarray(np.full((8, 8), 7, np.uint8)).save(root / 'ann/v.png')])
def test_a_run_that_would_skip_too_much_stops_here(cfg, tmp_path, bad_masks, make_worse):
    """More files than it may, all of them, or one of the evaluation, which skips none."""
    cfg.data.on_error = 'skip'
    make_worse(cfg, tmp_path)
    with pytest.raises(DataError, match='masks with values that are no class'):
        check(cfg)


def test_without_skipping_a_missing_first_file_stops_the_building(cfg, tmp_path):
    (tmp_path / 'img/a.jpg').unlink()
    with pytest.raises(DataError, match='images are missing'):
        build_split(cfg, 'train')
    assert len(build_split(cfg, 'train', may_lack_files=True)) == 200


def test_the_full_check_looks_at_everything(cfg, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    (tmp_path / 'train.txt').write_text('a\n' * 34 + 'b\n' + 'a\n' * 65)
    dataset = build_split(cfg, 'train')
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(tmp_path / 'ann/b.png')
    check_training_data(cfg, with_val(cfg, dataset))
    cfg.data.check = 'full'
    with pytest.raises(DataError, match='no class: 1, first'):
        check_training_data(cfg, with_val(cfg, dataset))
    assert 'Data check (full): samples looked at: train 100, val 1' in caplog.text


@pytest.mark.parametrize('kind', ['quick', 'full'])
def test_what_was_found_is_kept_in_the_work_dir(cfg, tmp_path, kind):
    cfg.data.check = kind
    (tmp_path / 'run').mkdir()
    check(cfg, folder=tmp_path / 'run')
    found = json.loads((tmp_path / 'run/data_check.json').read_text())
    assert found['check'] == kind
    assert found['splits']['train']['samples'] == (64 if kind == 'quick' else 200)
    assert [entry['name'] for entry in found['splits']['val']['classes']] == ['x', 'y', 'z']


def test_a_work_dir_that_takes_no_file_is_told(cfg, tmp_path, caplog):
    (tmp_path / 'run').write_text('')
    check(cfg, folder=tmp_path / 'run')
    assert 'data_check.json: ' in caplog.text


@pytest.mark.parametrize('value', ['fast', 'Quick', None, 3])
def test_an_unknown_check_is_an_error(cfg, value):
    cfg.data.check = value
    with pytest.raises(ConfigError, match=r"data\.check=.* takes 'quick' \| 'full' \| 'off'"):
        check(cfg)


def test_a_split_that_is_absent_is_an_error(cfg):
    with pytest.raises(ConfigError, match=r"the config has no data\.vall; did you mean 'val'\?"):
        build_split(cfg, 'vall')


def test_the_check_takes_nothing_from_the_generators(cfg):
    dataset = build_split(cfg, 'train')
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()
    for mode in ('quick', 'full'):
        cfg.data.check = mode
        check_training_data(cfg, with_val(cfg, dataset))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]


def test_what_the_first_process_finds_ends_the_others(cfg, monkeypatch):
    monkeypatch.setattr(heartbeat, 'get_dist_info', lambda: (1, 2))
    told = []

    def wait(work):
        told.append(work)
        return [heartbeat.Outcome(failure='DataError: missing files'), heartbeat.Outcome()]

    monkeypatch.setattr(heartbeat, 'run_with_heartbeat', wait)
    with pytest.raises(DataError, match='the data check of rank 0 failed: DataError: missing'):
        check(cfg)
    assert told == [None]  # this process looks at nothing
