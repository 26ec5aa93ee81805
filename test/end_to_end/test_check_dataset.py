"""The dataset doctor from the command line, and trainings on damaged data."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils.errors import DataError
from mmseg.apis.cli import run_command


@pytest.fixture
def voc(devkit, tmp_path):
    """A copy of the devkit to damage."""
    shutil.copytree(devkit / 'VOC2012', tmp_path / 'VOC2012')
    return tmp_path / 'VOC2012'


@pytest.fixture
def train_names(voc):
    return list_from_file(voc / 'ImageSets/Segmentation/train.txt')


@pytest.fixture
def check(tool, small_config, voc, capsys):
    """Check the copy in this process: exit code and output."""
    def run(*argv):
        code = tool('check_dataset')([str(small_config), '--data-root', str(voc), '--nproc', '1',
                                      *map(str, argv)])
        return code, capsys.readouterr().out
    return run


def damage(voc, names):
    """A missing image, a truncated mask and a mask with the value 33."""
    (voc / 'JPEGImages' / f'{names[0]}.jpg').unlink()
    mask = voc / 'SegmentationClass' / f'{names[1]}.png'
    mask.write_bytes(mask.read_bytes()[:100])
    mask = voc / 'SegmentationClass' / f'{names[2]}.png'
    Image.fromarray(np.full_like(np.array(Image.open(mask)), 33)).save(mask)


def test_good_data(check):
    code, text = check()
    assert code == 0
    assert 'test: the files of val' in text
    assert re.search(r'\| background +\| +\d+\.\d+ \| +12 \| +\d+\.\d+ \| +4 \|', text)
    assert 'class_weight' in text
    assert re.search(r'16 samples checked, \d+ samples/s: 0 errors, \d+ warnings, 0 info$', text,
                     re.MULTILINE)


def test_bad_data(check, voc, train_names, tmp_path):
    damage(voc, train_names)
    code, text = check('--json', tmp_path / 'report.json', '--write-clean', tmp_path / 'clean')

    assert code == 1
    assert 'error: missing files (1)' in text
    assert 'error: truncated files (1)' in text
    assert 'holds 33' in text
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['exit_code'] == 1
    assert report['summary']['error'] == 3
    assert {item['kind'] for item in report['findings'] if item['severity'] == 'error'} == {
        'missing', 'truncated', 'label-range'}
    cleaned = tmp_path / 'clean/train_0.txt'
    assert list_from_file(cleaned) == train_names[3:]
    assert f'{cleaned}: 3 of the 6 names of train' in text
    # What is left can be trained on, as the last line says.
    line = text.rstrip().splitlines()[-1]
    assert line.startswith("  --cfg-options 'data.train.split=[")
    code, text = check(*shlex.split(line))
    assert code == 0
    assert f'list {cleaned}' in text
    assert f'list {tmp_path / "clean/val.txt"}' in text


def test_statistics_of_the_training_images(check, voc, train_names, tmp_path):
    _, plain = check('--split', 'train')
    code, text = check('--statistics', '--split', 'train', 'val', '--json', tmp_path / 'r.json')
    assert code == 0
    assert 'img_norm_cfg' not in plain

    trained = [*train_names, *list_from_file(voc / 'ImageSets/Segmentation/aug.txt')]
    pixels = np.concatenate([np.array(Image.open(voc / f'JPEGImages/{name}.jpg')).reshape(-1, 3)
                             for name in trained]).astype(np.float64)
    line, = re.findall(r'img_norm_cfg = dict\(mean=\[(.*)\], std=\[(.*)\], to_rgb=True\)', text)
    for values, expected in zip(line, (pixels.mean(0), pixels.std(0)), strict=True):
        assert [float(value) for value in values.split(',')] == pytest.approx(expected, abs=0.5)
    figures = json.loads((tmp_path / 'r.json').read_text())['statistics']
    assert figures['images'] == len(trained)
    assert figures['pixels'] == len(pixels)
    assert figures['img_norm_cfg'] in text

    (voc / 'JPEGImages' / f'{train_names[0]}.jpg').unlink()
    code, text = check('--statistics', '--max-examples', 1)
    assert code == 1
    assert 'error: images that the statistics leave out (1)' in text


def test_only_the_splits_that_are_asked_for(check, voc, train_names):
    damage(voc, train_names)
    code, text = check('--split', 'val')
    assert code == 0
    assert 'train' not in text.replace('trainaug', '').replace('class', '').split('\n')[0]
    assert check('--split', 'train', '--max-examples', 0)[0] == 1


def test_errors_of_use_have_a_code_of_their_own(tool, small_config, voc, tmp_path, capsys):
    def code(*argv):
        result = run_command(lambda: tool('check_dataset')(list(map(str, argv))))
        return result, capsys.readouterr().err

    assert code(tmp_path / 'no.py')[0] == 2
    assert code(small_config, '--data-root', tmp_path / 'nowhere')[0] == 2
    with pytest.raises(SystemExit, match='2'):
        code(small_config, '--split', 'nothing')
    result, told = code(small_config, '--data-root', voc, '--write-clean',
                        voc / 'ImageSets/Segmentation')
    assert result == 2
    assert 'would replace the list' in told
    (tmp_path / 'file').touch()
    result, told = code(small_config, '--data-root', voc, '--nproc', 1, '--json',
                        tmp_path / 'file/report.json')
    assert result == 2
    assert 'cannot write the report' in told
    (tmp_path / 'empty.py').write_text('data = dict()')
    result, told = code(tmp_path / 'empty.py')
    assert result == 2
    assert 'the config has no data to check' in told


@pytest.mark.skipif(sys.platform == 'win32', reason='names of bytes')
def test_any_terminal_shows_any_name(repo_dir, small_config, voc, train_names):
    name = 'ünï "q" \x1b[31m 日本'
    (voc / 'JPEGImages' / f'{name}.jpg').write_bytes(b'')
    with open(voc / 'ImageSets/Segmentation/train.txt', 'a', encoding='utf-8') as file:
        file.write(f'{name}\n')
    command = [sys.executable, str(repo_dir / 'tools/check_dataset.py'), str(small_config),
               '--data-root', str(voc), '--nproc', '1']
    done = subprocess.run(command, capture_output=True, env={
        **os.environ, 'PYTHONIOENCODING': 'ascii', 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 1, done.stderr
    assert b'\\xfcn\\xef "q" \\x1b[31m \\u65e5\\u672c.jpg: the file is empty' in done.stdout
    assert b'\x1b' not in done.stdout


@pytest.fixture
def train(tool, small_config, voc, tmp_path, caplog):
    """Train on the copy in this process; returns the work dir and what was logged."""
    def run(name, *options, argv=()):
        work_dir = tmp_path / name
        caplog.clear()
        tool('train')([str(small_config), '--device', 'cpu', '--seed', '3', '--no-validate',
                       '--data-root', str(voc), '--work-dir', str(work_dir), *map(str, argv),
                       '--cfg-options', 'data.train.split=ImageSets/Segmentation/train.txt',
                       'data.train.ann_dir=SegmentationClass', *options])
        return work_dir, '\n'.join(record.getMessage() for record in caplog.records)
    return run


def losses(work_dir):
    lines = [json.loads(line) for log in sorted(work_dir.glob('*.log.json'))
             for line in log.read_text().splitlines()]
    return {line['iter']: line['loss'] for line in lines if line.get('mode') == 'train'}


def test_a_training_starts_with_a_quick_check(run_tool, small_config, voc, train_names, tmp_path):
    damage(voc, ['-', *train_names][1:])
    command = ('train', small_config, '--device', 'cpu', '--data-root', voc, '--work-dir',
               tmp_path / 'run', '--cfg-options')
    done = run_tool(*command, 'data.on_error=skip', 'runner.max_iters=1')
    assert done.returncode == 0
    for told in ('missing files: 1, first .*JPEGImages', 'truncated files: 1', r'no class: 1,.*33'):
        assert re.search(rf'WARNING - Data check: .*{told}', done.stderr)
    for name in train_names[:2]:
        for file in ('JPEGImages/{}.jpg', 'SegmentationClass/{}.png'):
            shutil.copy(voc / file.format(train_names[3]), voc / file.format(name))
    done = run_tool(*command, 'runner.max_iters=1')
    assert done.returncode == 2
    assert 'Traceback' not in done.stderr
    error = done.stderr[done.stderr.index('error: '):]
    assert f'SegmentationClass/{train_names[2]}.png: holds 33' in error
    assert f'python tools/check_dataset.py {small_config}' in error


def test_the_check_changes_no_loss(train):
    assert losses(train('with')[0]) == losses(train('without', 'data.check=off')[0])


SKIP = ('data.on_error=skip', 'runner.max_iters=6', 'checkpoint_config.interval=1')


def break_files(voc, names):
    (voc / 'JPEGImages' / f'{names[0]}.jpg').unlink()
    image = voc / 'JPEGImages' / f'{names[3]}.jpg'
    image.write_bytes(image.read_bytes()[:600])


def test_skipping_is_the_same_for_any_number_of_workers_and_after_a_resume(
        train, voc, train_names):
    break_files(voc, train_names)
    whole, told = train('whole', *SKIP)
    workers, told_by_workers = train('workers', *SKIP, 'data.workers_per_gpu=2')
    rest, told_later = train('rest', *SKIP, argv=['--resume-from', whole / 'iter_4.pth'])

    assert set(losses(whole)) == {1, 2, 3, 4, 5, 6}
    assert losses(workers) == losses(whole)
    assert losses(rest) == {number: losses(whole)[number] for number in (5, 6)}
    for text in (told, told_by_workers):
        assert len(re.findall(r'data\.on_error: skipped \(file [12] of at most 100\)', text)) == 2
    for text in (told, told_by_workers, told_later):
        assert text.count('data.on_error: 2 files were skipped in this run:') == 1
    # What the checkpoint knows is not told again.
    assert 'data.on_error: skipped' not in told_later
    meta = torch.load(whole / 'iter_4.pth', weights_only=True)['meta']
    assert set(meta['hook_msgs']['skipped_files']) == {
        str(voc / 'JPEGImages' / f'{train_names[index]}.jpg') for index in (0, 3)}


def test_beyond_the_cap_the_run_ends(train, voc, train_names):
    break_files(voc, train_names)
    with pytest.raises(DataError, match='2 files could not be loaded; data.on_error lets the run '
                                        'skip 1') as caught:
        train('run', 'data.on_error.action=skip', 'data.on_error.max_skipped=1',
              'runner.max_iters=20', 'data.check=off')  # which would stop it before
    assert f'{train_names[0]}.jpg' in str(caught.value)
    assert f'{train_names[3]}.jpg' in str(caught.value)


def test_evaluation_never_skips(tool, small_config, voc, tmp_path):
    name = list_from_file(voc / 'ImageSets/Segmentation/val.txt')[2]
    (voc / 'JPEGImages' / f'{name}.jpg').write_bytes(b'')
    with pytest.raises(DataError, match=f'{name}.jpg: the file is empty'):
        tool('train')([str(small_config), '--device', 'cpu', '--data-root', str(voc), '--work-dir',
                       str(tmp_path), '--cfg-options', 'data.on_error=skip'])


@pytest.fixture
def two_processes(repo_dir, small_config, voc, tmp_path):
    """Train on the copy in two processes."""
    def run(name, *options):
        command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
                   '--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0',
                   str(repo_dir / 'tools/train.py'), str(small_config), '--launcher', 'pytorch',
                   '--device', 'cpu', '--seed', '3', '--data-root', str(voc), '--work-dir',
                   str(tmp_path / name), '--no-validate', '--cfg-options',
                   'data.samples_per_gpu=2', 'data.train.split=ImageSets/Segmentation/train.txt',
                   'data.train.ann_dir=SegmentationClass', *options]
        return subprocess.run(command, env={**os.environ, 'OMP_NUM_THREADS': '1'},
                              capture_output=True, text=True, timeout=200)
    return run


def test_two_processes_skip_together(two_processes, voc, train_names):
    break_files(voc, train_names)
    done = two_processes('two', 'data.on_error=skip', 'runner.max_iters=6')
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r'data\.on_error: skipped \(file', done.stderr)) == 2
    assert done.stderr.count('data.on_error: 2 files were skipped in this run:') == 1


@pytest.mark.slow
def test_an_error_of_the_check_ends_both_processes(two_processes, voc, train_names):
    damage(voc, ['-', *train_names][1:])
    done = two_processes('two', 'data.on_error=skip')
    assert done.returncode != 0
    assert 'rank 0: error: masks with values that are no class' in done.stderr
    assert 'rank 1: error: the data check of rank 0 failed' in done.stderr
