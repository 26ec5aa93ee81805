"""The page in a real browser: it opens from the disk, and shows what the log says."""
import json

import numpy as np
import pytest

from mmseg.report.page import write_report
from mmseg.report.pictures import store_pictures

from .conftest import evaluation, picture, train_record, val_record, write_log, write_record

pytest.importorskip('plotly')
CLASSES = ('background', '人行道', 'a<b>&"c\'')
LOSSES = {50: 2.5, 100: None, 150: 1.25, 200: 0.75}


@pytest.fixture
def work_dir(tmp_path):
    """A run of two evaluations that was resumed."""
    folder = tmp_path / 'run <1>'
    write_log(folder, *(train_record(done, LOSSES[done]) for done in (50, 100)),
              val_record(100, 0.25), run_id='a', start=dict(iter=0, by_epoch=False, length=200))
    write_log(folder, *(train_record(done, LOSSES[done]) for done in (150, 200)),
              val_record(200, 0.5), run_id='a', start=dict(iter=100, by_epoch=False, length=200),
              stamp='20260103_000000')
    for done, scores in ((100, (0.5, 0.2, 0.05)), (200, (0.75, 0.25, 0.5))):
        of_classes = {f'IoU.{name}': value for name, value in zip(CLASSES, scores, strict=True)}
        write_record(folder, done, {'mIoU': done / 400, **of_classes}, CLASSES, run_id='a',
                     confusion=[[6, 2, 0], [1, 3, 0], [0, 0, 4]])
        store_pictures(folder, evaluation(done, [picture(0), picture(1)], [picture(2)]))
    return folder


def traces(found, name):
    return {trace['name']: trace for trace in found[name]['traces']}


def test_values_in_the_browser_are_those_of_the_log(work_dir, browse):
    found = browse(write_report([work_dir]), '''
        found.text = document.querySelector('#runs').innerText;
        found.trouble = document.getElementById('trouble') !== null;
        found.saved = await Plotly.toImage(document.querySelector('.chart'), {format: 'png'});
        found.buttons = [...document.querySelectorAll('.modebar-btn')].map(
          each => each.dataset.title.split(' ')[0]);
        found.names = [...document.querySelectorAll('.ytick text')].map(text => text.textContent);
    ''')
    lines = [json.loads(line) for file in sorted(work_dir.glob('*.log.json'))
             for line in file.read_text().splitlines()]
    train = [line for line in lines if line.get('mode') == 'train']
    val = [line for line in lines if line.get('mode') == 'val']
    losses = traces(found, 'losses')
    assert losses['loss']['x'] == [line['iter'] for line in train]
    assert losses['loss']['y'] == [line['loss'] for line in train]
    assert losses['decode.loss_seg']['y'] == [line['decode.loss_seg'] for line in train]
    assert losses['loss: not finite']['x'] == [100]
    assert traces(found, 'rates')['lr']['y'] == [line['lr'] for line in train]
    assert traces(found, 'speed_fps')['fps']['y'] == [line['fps'] for line in train]
    scores = traces(found, 'scores')
    for name in ('mIoU', 'mAcc', 'aAcc'):
        assert scores[name]['x'] == [line['iter'] for line in val]
        assert scores[name]['y'] == [line[name] for line in val]
    assert found['confusion0']['traces'][0]['z'] == [[0.75, 0.25, 0], [0.25, 0.75, 0], [0, 0, 1]]
    assert found['bars0']['traces'][0]['x'] == [0.75, 0.5, 0.25]
    # Names are drawn as they are, none of them as HTML.
    assert set(CLASSES) <= set(found['names'])
    assert 'finished, iteration 200' in found['text']
    assert not found['trouble']
    # Others would be there by default, one of which uploads the chart.
    assert set(found['buttons']) == {'Download', 'Zoom', 'Pan', 'Reset'}
    assert found['saved'].startswith('data:image/png;base64,')
    # All of it is drawn: lines, bars, cells, and the resume.
    assert found['losses']['lines'] >= 2
    assert found['losses']['shapes'] == 1
    assert found['bars0']['bars'] == 3
    assert found['confusion0']['cells'] == 1


def test_the_slider_changes_the_pictures_and_the_filter_the_config(work_dir, browse):
    (work_dir / '20260103_000000.origins.json').write_text(json.dumps(
        [['lr', '0.1', 'set by a.py'], ['model.type', "'PSP'", 'set by b.py']]))
    found = browse(write_report([work_dir]), '''
        const slider = document.querySelector('.frames');
        const section = slider.closest('section');
        const shown = () => [...section.querySelectorAll('.prediction')].map(each => each.src);
        found.last = shown();
        found.sizes = [...document.querySelectorAll('.maps img')].map(each => each.naturalWidth);
        slider.value = 0;
        slider.dispatchEvent(new Event('input'));
        found.first = shown();
        found.title = section.querySelector('output').textContent;
        found.frames = JSON.parse(document.getElementById('frames0').textContent);
        const filter = document.querySelector('.filter');
        filter.value = 'PSP';
        filter.dispatchEvent(new Event('input'));
        found.rows = [...document.querySelectorAll('.config tbody tr')].map(row => row.hidden);
    ''')
    names = ['image_0.jpg', 'image_1.jpg']
    for number, shown in ((1, found['last']), (0, found['first'])):
        assert shown == [found['frames'][number]['samples'][name]['prediction'] for name in names]
    assert found['title'] == 'iteration 100'
    assert found['sizes'] == [32] * 12
    assert found['rows'] == [True, False]


def test_many_classes_several_runs_and_a_narrow_window(tmp_path, browse):
    rng = np.random.default_rng(0)
    for name, number in (('many', 171), ('one', 1), ('none', 0)):
        classes = [f'{name} {place}' for place in range(number)]
        write_log(tmp_path / name, train_record(50), val_record(50, 0.5), run_id='a')
        write_record(tmp_path / name, 50, {f'IoU.{each}': 0.5 for each in classes}, classes, [],
                     rng.integers(0, 9, (number, number)) if number else None, run_id='a')
    write_log(tmp_path / 'empty')
    page = write_report([tmp_path / name for name in ('many', 'one', 'none', 'empty')],
                        tmp_path / 'all.html')
    found = browse(page, 'found.page = document.documentElement.scrollWidth;', width=500)
    assert set(found) == {'losses', 'rates', 'accuracy', 'scores', 'bars0', 'bars1', 'classes0',
                          'classes1', 'confusion0', 'confusion1', 'speed_fps', 'speed_time',
                          'speed_data_time', 'speed_memory', 'page'}
    assert found['bars0']['bars'] == 171
    assert found['page'] <= 500  # nothing sticks out
    assert [trace['name'] for trace in found['losses']['traces'] if trace['visible'] is True] == [
        'many: loss', 'one: loss', 'none: loss']


def test_a_browser_that_cannot_unpack_is_told(work_dir, browse):
    page = write_report([work_dir])
    page.write_text(page.read_text(encoding='utf-8').replace(
        '<head>', '<head><script>delete window.DecompressionStream</script>', 1), encoding='utf-8')
    found = browse(page, "found.told = document.getElementById('trouble').textContent;")
    assert 'This browser cannot unpack the charts: open the page with Chrome' in found['told']
