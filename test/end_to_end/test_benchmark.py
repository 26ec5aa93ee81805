"""tools/benchmark.py on a tiny model: every subcommand prints a row for each subject."""
import json
import os
import stat
import sys

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.synthetic import SplitSizes, make_devkit

CONFIG = 'configs/pspnet/pspnet_r18-d16_128x128_quickstart.py'
TINY = ('--cfg-options', 'model.backbone.base_channels=8', 'model.decode_head.in_channels=64',
        'model.auxiliary_head.in_channels=32', 'model.decode_head.channels=16')
QUICK = ('--rounds', '1', '--warmup', '0', '--threads', '1', '--device', 'cpu')
TWO_FORMS = ('plain PyTorch', 'plain PyTorch, channels_last')
# Speaks the protocol, and takes a second for everything.
FAKE_PEER = '''#!{python}
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request['call'] == 'start':
        answer = dict(name='fakeseg 9.1', torch='2.0', threads=3)
    elif request['call'] == 'check':
        import numpy as np
        np.savez(request['file'])
        answer = None
    else:
        answer = dict(round=1.0, resident=10.0, inspect=dict())[request['call']]
    print(json.dumps(answer), flush=True)
'''


@pytest.fixture(scope='module')
def fake_peer(tmp_path_factory):
    file = tmp_path_factory.mktemp('peer') / 'python'
    file.write_text(FAKE_PEER.format(python=sys.executable))
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


@pytest.fixture
def bench(tool, repo_dir, fake_peer, tmp_path, capsys, monkeypatch):
    """Run a subcommand beside plain PyTorch and the fake peer; returns its text and JSON."""
    def run(command, *arguments, config=CONFIG):
        monkeypatch.chdir(repo_dir)
        file = tmp_path / 'figures.txt'
        tool('benchmark')([command, *([config] if config else []), *QUICK, '--peer-python',
                           str(fake_peer), '--json', str(file), *map(str, arguments)])
        return capsys.readouterr().out, json.loads(file.read_text())
    return run


def check(text, values, command, plain=('plain PyTorch',), close=None):
    assert (values['schema'], values['command'], values['rounds']) == (1, command, 1)
    assert {'device', 'processor', 'python', 'torch', 'load_before', 'load_after'} == set(
        values['conditions'])
    for section in values['sections']:
        names = [subject['name'] for subject in section['subjects']]
        assert names == ['this toolkit', *plain, 'fakeseg 9.1']
        own, *by_hand, peer = section['subjects']
        assert peer['seconds'] == [1.0]
        for row in by_hand:
            assert own['speedup_over'][row['key']] == pytest.approx(row['median'] / own['median'])
            for name, limit in (close or {}).items():
                assert row['differences'][name] <= limit
    for name in names:
        assert text.count(f'| {name} ') == len(values['sections'])
    assert f'torch: {values["conditions"]["torch"]}' in text


def test_train(bench):
    text, values = bench('train', '--size', 64, 64, '--profile', *TINY)
    check(text, values, 'train', TWO_FORMS, close={'loss': 1e-5})
    own, by_hand, _, _ = values['sections'][0]['subjects']
    assert by_hand['flops'] / 2 < own['flops'] < 2 * by_hand['flops']
    assert own['allocated_mb'] > 1
    assert own['resident_mb'] > 100
    assert 0 < own['share_of_peak'] < 1.5
    assert 'Where the time of this toolkit goes' in text
    assert 'aten::' in text
    assert 'Where the time of fakeseg 9.1 goes:\nunknown, for it has no step' in text


@pytest.mark.slow
def test_slide(bench):
    text, values = bench('slide', '--size', 60, 90, '--crop', 40, 40, '--stride', 30, 25,
                         '--no-inspect', *TINY)
    check(text, values, 'slide', TWO_FORMS, close={'labels': 0.01})
    assert values['sections'][0]['subjects'][0]['flops'] is None
    assert 'Where the time' not in text


def test_profile_alone(bench):
    text, values = bench('infer', '--size', 64, 64, '--no-inspect', '--profile', *TINY)
    check(text, values, 'infer', TWO_FORMS, close={'labels': 0.01})
    assert values['sections'][0]['subjects'][0]['flops'] is None
    for name in ('this toolkit', *TWO_FORMS):
        below = text.partition(f'Where the time of {name} goes:')[2]
        assert 'convolution' in below.partition('Where the time')[0]


@pytest.mark.parametrize('command', ['eval', 'startup', 'checkpoint'])
def test_no_profile_of_what_torch_does_not_compute(tool, repo_dir, monkeypatch, command):
    monkeypatch.chdir(repo_dir)
    with pytest.raises(ConfigError, match=f'--profile: there is none of {command}, whose time is '
                       "not that of torch's operators or of steps; train, infer, slide, zoo, "
                       'pipeline have one'):
        tool('benchmark')([command, '--profile'])


def test_zoo(bench):
    text, values = bench('zoo', '--families', 'pspnet', '--size', 64, 64, '--no-inspect',
                         '--cfg-options', 'model.backbone.base_channels=8',
                         'model.decode_head.in_channels=256',
                         'model.auxiliary_head.in_channels=128', config=None)
    assert [section['title'].partition(':')[0] for section in values['sections']] == [
        'pspnet, training step', 'pspnet, inference']
    family = values['summary']['families']['pspnet']
    for section, kind in zip(values['sections'], ('train', 'infer'), strict=True):
        assert family[kind]['speed'] == section['subjects'][0]['speedup_over']['peer1']
    assert 'beside fakeseg 9.1' in text
    assert text.count('geometric mean') == 1


def test_pipeline(bench, tmp_path):
    make_devkit(tmp_path, SplitSizes(2, 1, 0), size=64)
    text, values = bench('pipeline', '--images', 2, '--data-root', tmp_path / 'VOC2012')
    check(text, values, 'pipeline', plain=['plain OpenCV and NumPy'],
          close={'img': 1e-6, 'gt_semantic_seg': 0})


def test_passes_over_a_disk_cache(bench, tmp_path):
    make_devkit(tmp_path, SplitSizes(2, 1, 0), size=64)
    text, values = bench('pipeline', '--disk-cache', '--profile', '--images', 2, '--data-root',
                         tmp_path / 'VOC2012')
    rows = values['sections'][0]['subjects']
    for row, name in zip(rows[1:], ('first pass of a disk cache', 'second pass'), strict=False):
        assert row['name'] == f'this toolkit, {name}'
        assert row['differences'] == {'img': 0, 'gt_semantic_seg': 0}
        below = text.partition(f'Where the time of {row["name"]} goes:')[2]
        assert 'StoredCrop' in below.partition('Where the time')[0]


def test_eval(bench):
    text, values = bench('eval', '--images', 2, '--size', 64, 64, '--classes', 150)
    check(text, values, 'eval', plain=['plain NumPy'], close={'IoU': 1e-12})
    assert '150 classes' in text


def test_predict(bench):
    text, values = bench('predict', '--images', 2, '--no-inspect', *TINY)
    check(text, values, 'predict', plain=())
    assert '2 synthetic images' in text


@pytest.mark.slow
def test_infer_in_bfloat16(bench):
    text, values = bench('infer', '--size', 64, 64, '--amp', *TINY)
    check(text, values, 'infer', close={'labels': 0.2},
          plain=['plain PyTorch, bfloat16', 'plain PyTorch, channels_last, bfloat16'])


@pytest.mark.slow
def test_startup(bench):
    check(*bench('startup'), 'startup', close={'values': 0})


@pytest.mark.slow
def test_checkpoint(bench):
    check(*bench('checkpoint', *TINY), 'checkpoint', plain=['torch.save'],
          close={'weights': 0, 'momentum': 0})


@pytest.mark.slow
def test_train_on_an_accelerator_also_fed_from_files(run_on_npu, devkit, tmp_path):
    file = tmp_path / 'figures.json'
    run_on_npu(['tools/benchmark.py', 'train', CONFIG, '--rounds', 1, '--warmup', 0, '--steps', 2,
                '--threads', 1, '--device', 'npu', '--amp', 'bfloat16', '--size', 128, 128,
                '--from-jpegs', devkit / 'VOC2012', '--workers', 1, '--json', file, *TINY])
    values = json.loads(file.read_text())
    assert values['conditions']['device'].startswith('npu:0 (')
    own, fed, plain, careful = values['sections'][0]['subjects']
    assert fed['name'] == 'this toolkit, fed from JPEGs'
    assert fed['speedup_over']['own'] == pytest.approx(own['median'] / fed['median'])
    assert max(row['differences']['loss'] for row in (plain, careful)) < 1e-2
    assert all(row['allocated_mb'] > 1 for row in (own, fed, plain))


def test_mistake_is_told_without_a_traceback(run_tool):
    done = run_tool('benchmark', 'train', '--peer-python', '/no/such/python')
    assert done.returncode == 2
    assert '--peer-python /no/such/python: there is no such file' in done.stderr
    assert 'Traceback' not in done.stderr


def test_folder_of_the_figures_must_exist(tool, repo_dir, monkeypatch):
    monkeypatch.chdir(repo_dir)
    with pytest.raises(ConfigError, match=r'--json /no/a.json: its folder does not exist'):
        tool('benchmark')(['eval', '--json', '/no/a.json'])


@pytest.mark.skipif('MMSEG_PEER_PYTHON' not in os.environ,
                    reason='set MMSEG_PEER_PYTHON to the Python of an environment with '
                    'mmsegmentation 0.x or 1.x')
@pytest.mark.parametrize(('command', 'arguments', 'close'), [
    ('train', ('--size', 64, 64, *TINY), {'loss': 1e-5}),
    ('infer', ('--size', 64, 64, *TINY), {'labels': 0.01}),
    ('slide', ('--size', 60, 90, '--crop', 40, 40, '--stride', 30, 25, *TINY), {'labels': 0.01}),
    ('predict', ('--images', 2, *TINY), {'labels': 0.01}),
    ('eval', ('--images', 2, '--classes', 21), {'IoU': 1e-6}),
    ('startup', (), {'values': 0})])
def test_real_peer(tool, repo_dir, tmp_path, monkeypatch, command, arguments, close):
    monkeypatch.chdir(repo_dir)
    file = tmp_path / 'figures.json'
    tool('benchmark')([command, CONFIG, *QUICK, '--no-plain', '--no-inspect', '--json', str(file),
                       '--peer-python', os.environ['MMSEG_PEER_PYTHON'], *map(str, arguments)])
    for section in json.loads(file.read_text())['sections']:
        peer = section['subjects'][1]
        assert peer['name'].startswith('mmsegmentation ')
        for name, limit in close.items():
            assert peer['differences'][name] <= limit
