"""A training with ReportHook, its page, and the matrix of its checkpoint, from the command line."""
import html
import json
import re

import numpy as np
import pytest

pytest.importorskip('plotly')


def read_data(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page,
                      re.DOTALL)
    return json.loads(found[1])


def records(work_dir, mode):
    return [line for file in sorted(work_dir.glob('*.log.json'))
            for line in map(json.loads, file.read_text().splitlines()) if line.get('mode') == mode]


@pytest.fixture(scope='module')
def config(small_config, tmp_path_factory):
    file = tmp_path_factory.mktemp('report') / 'seen.py'
    file.write_text(f'''
_base_ = {str(small_config)!r}
evaluation = dict(interval=2, pictures=2, val_loss=True)
custom_hooks = [dict(type='ReportHook')]
''')
    return file


@pytest.fixture(scope='module')
def work_dir(config, tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp('run') / 'seen'
    tool('train')([str(config), '--device', 'cpu', '--work-dir', str(folder), '--seed', '3'])
    return folder


def test_the_page_of_a_training(work_dir, config, run_tool, tmp_path):
    written = (work_dir / 'report.html').read_text(encoding='utf-8')
    done = run_tool('report', work_dir, '--out', tmp_path / 'page.html')
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'report: {tmp_path / "page.html"}\n'
    page = (tmp_path / 'page.html').read_text(encoding='utf-8')
    assert page == written  # that of the hook is complete
    charts = read_data(page, 'charts')
    train, val = records(work_dir, 'train'), records(work_dir, 'val')
    losses = {trace['name']: trace for trace in charts['losses']['data']}
    assert losses['loss']['y'] == [record['loss'] for record in train]
    assert losses['val/loss']['y'] == pytest.approx([record['val/loss'] for record in val], 1e-4)
    assert charts['scores']['data'][0]['x'] == [record['iter'] for record in val] == [2, 4]
    with np.load(work_dir / 'evaluations/iter_4.npz') as arrays:
        pixels = arrays['confusion']
    assert len(charts['confusion0']['data'][0]['customdata']) == len(pixels) == 21
    frames = read_data(page, 'frames0')
    assert [frame['title'] for frame in frames] == ['iteration 2', 'iteration 4']
    assert all(len(frame['samples']) == 2 for frame in frames)
    text = html.unescape(re.sub('<script.*?</script>', '', page, flags=re.DOTALL))
    for word in ('finished, iteration 4', 'PascalVOCDataset', 'optimizer.lr', f'set by {config}',
                 'OpenCV'):
        assert word in text
    assert 'before it began' not in text  # the training has looked at all of so few samples


def test_the_matrix_of_a_checkpoint_is_that_of_its_test(work_dir, config, tool, tmp_path):
    checkpoint, predictions = str(work_dir / 'latest.pth'), str(tmp_path / 'p.pkl')
    tool('test')([str(config), checkpoint, '--device', 'cpu', '--eval', 'mIoU',
                  '--out', predictions, '--work-dir', str(tmp_path)])
    pictures = []
    for name, source in (('record', [str(tmp_path)]), ('pickle', [str(config), predictions]),
                         ('checkpoint', [str(config), checkpoint, '--device', 'cpu'])):
        tool('confusion_matrix')([*source[:2], str(tmp_path / name), *source[2:]])
        pictures.append((tmp_path / name / 'confusion_matrix.png').read_bytes())
    assert pictures[0] == pictures[1] == pictures[2]


@pytest.mark.parametrize(('arguments', 'told'), [
    (('report', 'none'), 'error: none is no folder with a TIMESTAMP.log.json'),
    (('analyze_logs', 'none.json'), 'error: none.json is no folder with a TIMESTAMP.log.json'),
    (('confusion_matrix', 'none', 'x'), 'error: none is neither a work directory nor')])
def test_mistakes_are_told_in_a_line(run_tool, tmp_path, arguments, told):
    done = run_tool(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(told)
