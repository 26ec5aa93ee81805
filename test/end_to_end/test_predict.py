"""tools/predict.py as a user runs it, on a trained model, beside tools/test.py."""
import io
import json
import pickle
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope='module')
def trained(tmp_path_factory, run_tool, small_config):
    """The work dir of a training with averaged weights."""
    folder = tmp_path_factory.mktemp('trained')
    done = run_tool('train', small_config, '--work-dir', folder, '--device', 'cpu', '--seed', 0,
                    '--cfg-options', "custom_hooks=[dict(type='EMAHook')]")
    assert done.returncode == 0, done.stderr
    return folder


def masks(folder):
    return {path.stem: np.array(Image.open(path)) for path in (folder / 'masks').glob('*.png')}


@pytest.mark.parametrize(('testing', 'predicting'), [
    ([], []), (['--aug-test'], ['--tta']), (['--amp'], ['--amp']),
    (['--ema'], ['--ema']),
    (['--cfg-options', "model.test_cfg=dict(mode='slide',crop_size=(64,64),stride=(42,42))"],
     ['--slide'])])
def test_the_pixels_are_those_of_the_test_command(trained, devkit, tool, tmp_path, small_config,
                                                  testing, predicting):
    checkpoint = str(trained / 'latest.pth')
    tool('test')([str(small_config), checkpoint, '--device', 'cpu', '--out',
                  str(tmp_path / 'out.pkl'), *testing])
    expected = pickle.loads((tmp_path / 'out.pkl').read_bytes())
    names = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()
    files = [str(devkit / f'VOC2012/JPEGImages/{name}.jpg') for name in names]
    assert tool('predict')([checkpoint, *files, '--out', str(tmp_path / 'out'), '--device', 'cpu',
                            '--no-overlays', *predicting]) == 0
    found = masks(tmp_path / 'out')
    assert set(found) == set(names)
    for name, seg_map in zip(names, expected, strict=True):
        np.testing.assert_array_equal(found[name], seg_map)


def test_folders_lists_and_going_on(trained, devkit, run_tool, tool, tmp_path, monkeypatch):
    images = devkit / 'VOC2012/JPEGImages'
    out = tmp_path / 'out'
    done = run_tool('predict', trained / 'latest.pth', images, '--out', out, '--legend',
                    'missing.jpg', '--device', 'cpu')
    assert done.returncode == 1
    assert '1 without a prediction:\n  missing.jpg' in done.stderr
    assert 'Traceback' not in done.stderr
    lines = (out / 'predictions.jsonl').read_text().splitlines()
    files = sorted(images.iterdir())
    assert [json.loads(line)['name'] for line in lines] == [file.name for file in files]
    assert len(list((out / 'overlays').iterdir())) == len(files)
    assert re.search(rf'images: {len(files)} in [\d.]+ s, [\d.]+ images a second', done.stderr)
    assert 'image/s' in done.stderr  # of the progress bar
    (out / f'masks/{files[0].stem}.png').unlink()
    monkeypatch.setattr(sys, 'stdin', io.StringIO('\n'.join(map(str, files))))
    (out / f'overlays/{files[0].name}').write_text('older')
    assert tool('predict')([str(trained / 'latest.pth'), '-', '--out', str(out), '--device', 'cpu',
                            '--legend', '--skip-existing']) == 0
    assert (out / f'masks/{files[0].stem}.png').is_file()
    assert (out / f'overlays/{files[0].name}').stat().st_size > 100
    assert len((out / 'predictions.jsonl').read_text().splitlines()) == len(files)


def test_mistakes_are_told_without_a_traceback(trained, run_tool, tmp_path):
    done = run_tool('predict', trained / 'latest.pth', 'x.jpg', '--out', tmp_path / 'out')
    assert done.returncode == 2
    assert done.stderr.startswith('error: x.jpg: it does not exist')
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(('number', 'code', 'told'), [
    (signal.SIGINT, 130, 'interrupted'), (signal.SIGTERM, 143, 'terminated')])
def test_a_signal_leaves_whole_files(trained, devkit, repo_dir, tmp_path, number, code, told):
    images = list((devkit / 'VOC2012/JPEGImages').iterdir())
    copies = tmp_path / 'many'
    copies.mkdir()
    for copy in range(1500):
        (copies / f'{copy}.jpg').write_bytes(images[copy % len(images)].read_bytes())
    out = tmp_path / 'out'
    process = subprocess.Popen(
        [sys.executable, 'tools/predict.py', str(trained / 'latest.pth'), str(copies), '--out',
         str(out), '--device', 'cpu'], cwd=repo_dir, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while time.monotonic() < limit and len(list((out / 'masks').glob('*.png'))) < 3:
        time.sleep(0.05)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert stderr.rstrip().endswith(told)
    assert 'Traceback' not in stderr
    assert not [path for path in out.rglob('*') if path.name.startswith('.')]
    for line in (out / 'predictions.jsonl').read_text().splitlines():
        record = json.loads(line)
        for kind in ('mask', 'overlay'):
            with Image.open(out / record[kind]) as image:
                image.load()
                assert image.size == (record['width'], record['height'])
