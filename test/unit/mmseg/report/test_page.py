"""The page as a file: what it says, what it lacks, what it escapes, and how large it is."""
import html
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError, MissingModuleError
from mmseg.core.evaluation.evidence import PackedMap
from mmseg.report import plotly_file
from mmseg.report.page import write_report
from mmseg.report.pictures import store_pictures

from .conftest import VOC, evaluation, picture, train_record, val_record, write_log, write_record

pytest.importorskip('plotly')
DATA = dict(
    check='quick', same={'test': 'val'}, findings=[
        dict(kind='corrupt', severity='error', split='train', file='a<b>.png', detail='cut off')],
    kinds={'corrupt': dict(severity='error', title='unreadable', count=1, remedy='delete it')},
    splits={'train': dict(samples=2, sources=[dict(type='PascalVOCDataset', img_dir='/data/img',
                                                   samples=10582)],
                          classes=[dict(name='sky', pixels=3, images=1),
                                   dict(name='sea', pixels=1, images=2)])})


def read_data(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>',
                      page.read_text(encoding='utf-8'), re.DOTALL)
    return json.loads(found[1])


@pytest.fixture
def make(tmp_path):
    """The text of the page of a folder, in which a log is written."""
    def write(*records, **meta):
        write_log(tmp_path, *records, **meta)
        return text_of(write_report([tmp_path]))
    return write


def text_of(page):
    """What is on the page, without data and scripts."""
    return re.sub(r'<(script|style).*?</\1>', '', page.read_text(encoding='utf-8'), flags=re.DOTALL)


def test_the_overview(make, tmp_path):
    text = make(train_record(50, 2.0), train_record(100, 1.5), val_record(100, 0.5),
                train_record(200, 1.25), val_record(200, 0.4), run_id='a',
                start=dict(iter=0, by_epoch=False, length=200))
    for word in ('2026-01-02 00:00', 'finished, iteration 200', 'mIoU 0.5000 (iteration 100)',
                 '0.4000', '1.2500', '8.00', '6,084 MiB', tmp_path.name):
        assert f'>{word}<' in text


def test_a_run_under_way(make):
    assert 'iteration 50 of 20,000' in make(
        train_record(50), config="runner = dict(type='IterBasedRunner', max_iters=20000)")


def test_a_run_that_was_stopped_early(make):
    text = make(train_record(50), '{"stopped": "mIoU has not got <better>"}',
                config="runner = dict(type='IterBasedRunner', max_iters=20000)")
    assert 'stopped early, iteration 50 of 20,000' in text
    assert '<li>stopped early: mIoU has not got &lt;better&gt;</li>' in text
    assert 'left out' not in text


def test_a_run_that_was_stopped_at_its_end_is_finished(make):
    text = make(train_record(50), '{"stopped": "mIoU has not got better"}',
                start=dict(iter=0, by_epoch=False, length=50))
    assert 'finished, iteration 50' in text
    assert 'stopped early' not in text


def test_resumes_cuts_and_scores_of_a_test(make, tmp_path):
    write_log(tmp_path, train_record(50), train_record(100), '{"mode"', run_id='a')
    (tmp_path / 'eval_20260105_000000.json').write_text('{"mIoU": 0.75, "IoU.sky": 0.5}')
    (tmp_path / 'eval_20260106_000000.json').write_text('{"mIoU"')
    write_log(tmp_path, train_record(100), run_id='a', stamp='20260103_000000',
              start=dict(iter=50, by_epoch=False, length=100))
    text = text_of(write_report([tmp_path]))
    assert 'resumed at iteration 50 (log 20260103_000000); 50 iterations were done again' in text
    assert 'line 4 is cut off' in text
    assert 'mIoU 0.7500' in text
    assert 'IoU.sky' not in text
    assert 'cannot be read: ' in text


@pytest.mark.parametrize('records', [
    (), (train_record(50),), (train_record(50), val_record(50, 1))])
def test_what_a_run_lacks_is_said_with_the_way_to_get_it(make, records):
    text = make(*records)
    for word in ('data_check.json', 'tools/check_dataset.py CONFIG --json WORK_DIR/data_full.json',
                 'ReportHook', 'The log holds no config', 'say nothing of the environment',
                 'val_loss=True'):
        assert word in text
    assert ('No evaluation is recorded' in text) == (len(records) < 2)
    assert ('The log has no line of training yet' in text) == (not records)
    assert ('No scores of classes are recorded' in text) == (len(records) == 2)


def test_an_empty_run_has_no_charts_and_no_script_for_them(tmp_path):
    write_log(tmp_path)
    page = write_report([tmp_path])
    assert read_data(page, 'charts') == {}
    assert page.stat().st_size < 50_000


def test_data_environment_and_config(make, tmp_path):
    (tmp_path / 'data_check.json').write_text(json.dumps(DATA))
    (tmp_path / '20260102_000000.origins.json').write_text(json.dumps(
        [['optimizer.lr', '0.01', 'set by base.py, overridden by command line']]))
    text = make(train_record(50), env_info='Python: 3.12\nGPU 0: <none>', seed=7, world_size=8)
    for word in ('>10582<', '>2<', '>PascalVOCDataset<', '>as val<', '>75.000 %<', '>25.000 %<',
                 '>unreadable<', '>a&lt;b&gt;.png<', '>delete it<', 'before it began',
                 '>Python<', '>3.12<', '>&lt;none&gt;<', '>7<', '>8<',
                 '>optimizer.lr<', '>0.01<', '>set by base.py, overridden by command line<'):
        assert word in text


def test_how_pytorch_was_compiled_is_folded(make):
    text = make(train_record(50), env_info='PyTorch compiling details: PyTorch built with:\n'
                '  - GCC 13.3\n  - Build settings: BLAS_INFO=mkl, \n\nMMCV: 1.7.2')
    assert ('<td><details><summary>PyTorch built with:</summary><pre>- GCC 13.3\n'
            '- Build settings: BLAS_INFO=mkl,</pre></details></td>') in text
    assert '<td>MMCV</td><td>1.7.2</td>' in text


def test_a_check_of_all_data_replaces_that_of_the_training(make, tmp_path):
    (tmp_path / 'data_check.json').write_text(json.dumps(DATA))
    (tmp_path / 'data_full.json').write_text(json.dumps({
        **DATA, 'splits': {}, 'same': {}, 'findings': [], 'kinds': {}}))
    text = make(train_record(50))
    assert 'Nothing wrong was found' in text
    assert 'before it began' not in text
    assert 'PascalVOCDataset' not in text


def test_a_check_that_has_looked_at_all_is_not_to_be_repeated(make, tmp_path):
    source = dict(type='CustomDataset', img_dir='img', samples=3)
    for looked, told in ((3, False), (2, True)):
        (tmp_path / 'data_check.json').write_text(json.dumps(dict(
            check='quick', same={}, findings=[], kinds={},
            splits=dict(train=dict(samples=looked, sources=[source], classes=[])))))
        assert ('data_full.json' in make(train_record(50))) == told


def test_a_config_without_origins(make):
    text = make(train_record(50), config='lr = 0.5\n')
    assert '<pre>lr = 0.5' in text
    assert 'Which file set a value is not recorded' in text


@pytest.mark.parametrize('name', ['data_check.json', '20260102_000000.origins.json'])
@pytest.mark.parametrize('content', ['[1', '{}', '[1]', 'null'])
def test_damaged_files_count_as_lacking(make, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert 'No facts of the data are recorded' in make(train_record(50))


def test_every_text_of_a_user_is_escaped(tmp_path):
    wild = '</script><script>alert(1)</script>人&"\'<b>'
    folder = tmp_path / 'a <b>&c'
    write_log(folder, train_record(50), run_id='a', env_info=f'x: {wild}', config=wild,
              CLASSES=[wild, 'b', 'c'])
    write_record(folder, 50, {f'IoU.{wild}': 0.5, 'IoU.b': 0.25}, classes=[wild, 'b', 'c'],
                 confusion=[[1, 2, 3]] * 3, run_id='a')
    store_pictures(folder, evaluation(50, [picture(0, wild)], [picture(1, wild)]))
    page = write_report([folder])
    assert '<script>alert' not in page.read_text(encoding='utf-8')
    assert '<b>' not in text_of(page).replace('<b>&lt;/script', '')  # around names of pictures
    assert read_data(page, 'charts')['bars0']['data'][0]['y'][0] == (
        '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;人&amp;"\'&lt;b&gt;')


def test_nothing_is_fetched(make):
    text = make(train_record(50), val_record(50, 0.5))
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "default-src 'none'" in html.unescape(text)


def test_pictures_of_each_evaluation(tmp_path):
    write_log(tmp_path, train_record(50), train_record(100), run_id='a')
    for done in (50, 100):
        store_pictures(tmp_path, evaluation(done, [picture(done), picture(1)],
                                            [picture(number) for number in range(20)]))
        write_record(tmp_path, done, {}, run_id='a', confusion=np.eye(3))
    page = write_report([tmp_path])
    frames = read_data(page, 'frames0')
    assert [frame['title'] for frame in frames] == ['iteration 50', 'iteration 100']
    assert list(frames[1]['samples']) == ['image_100.jpg', 'image_1.jpg']
    assert list(frames[0]['samples']) == ['image_1.jpg']  # the other is none of the last ones
    text = text_of(page)
    assert text.count('data-sample=') == 2 + 20
    assert text.count('src="data:image/webp;base64,') == 4 * 22
    assert '>mIoU 0.1100, accuracy 0.5000<' in text
    assert f'</i>{VOC[1]}<' in text


def test_of_many_pictures_some_are_shown(tmp_path):
    write_log(tmp_path, *(train_record(done) for done in range(1, 41)), run_id='a')
    for done in range(1, 41):
        store_pictures(tmp_path, evaluation(done, [picture(index) for index in range(22)]))
        write_record(tmp_path, done, {}, run_id='a')
    page = write_report([tmp_path])
    frames = read_data(page, 'frames0')
    assert [frame['title'] for frame in frames] == [
        f'iteration {done}' for done in (1, 9, 17, 24, 32, 40)]
    assert [len(frame['samples']) for frame in frames] == [20] * 6
    text = text_of(page)
    assert '6 of 40 evaluations, spread evenly' in text
    assert '2 more images in WORK_DIR/evaluations' in text


def test_the_legend_has_the_classes_of_every_evaluation(tmp_path):
    """The slider shows earlier ones too, which may predict other classes than the last."""
    write_log(tmp_path, train_record(50), run_id='a')
    for done, seg_map in ((10, np.full((4, 4), 2)), (20, np.zeros((4, 4), np.int64))):
        shown = replace(picture(0), packed_map=PackedMap.of(seg_map),
                        packed_truth=PackedMap.of(np.zeros((4, 4), np.uint8)))
        store_pictures(tmp_path, evaluation(done, [shown]))
        write_record(tmp_path, done, {}, run_id='a')
    text = text_of(write_report([tmp_path]))
    assert f'</i>{VOC[2]}<' in text
    assert f'</i>{VOC[1]}<' not in text


def test_pictures_take_a_bounded_part_of_the_page(tmp_path, monkeypatch):
    """Where they would take more, they are reduced, and the page says so."""
    monkeypatch.setattr('mmseg.report.page.PICTURES', 200_000)
    for name in ('a', 'b'):
        write_log(tmp_path / name, train_record(50), run_id='a')
        for done in (1, 2):
            noise = [picture(number, size=(150, 200)) for number in range(4)]
            store_pictures(tmp_path / name, evaluation(done, noise, noise))
            write_record(tmp_path / name, done, {}, run_id='a')
    empty = write_log(tmp_path / 'empty', train_record(50))
    sizes = [write_report(places, tmp_path / 'x.html').stat().st_size for places in (
        [empty], [tmp_path / 'a'], [tmp_path / 'a', tmp_path / 'b'])]
    assert sizes[1] - sizes[0] < 240_000
    assert sizes[2] - sizes[0] < 240_000
    found = re.findall(r'reduced to (\d+) pixels, lest the page grow too large',
                       text_of(tmp_path / 'x.html'))
    assert [60 < int(side) < 200 for side in found] == [True] * 4


def test_a_picture_without_a_score(tmp_path):
    """An image of which all pixels are ignored has none."""
    shown = picture(0)
    store_pictures(tmp_path, evaluation(50, [replace(
        shown, sample=replace(shown.sample, miou=math.nan, accuracy=math.nan))]))
    write_log(tmp_path, train_record(50), run_id='a')
    write_record(tmp_path, 50, {}, run_id='a')
    assert '>mIoU –, accuracy –<' in text_of(write_report([tmp_path]))


def test_runs_of_one_name_are_told_apart(tmp_path):
    for parent in 'ab':
        write_log(tmp_path / parent / 'run', train_record(50))
    text = text_of(write_report([tmp_path / 'a/run', tmp_path / 'b/run'], tmp_path / 'both.html'))
    assert '>run (1)<' in text
    assert '>run (2)<' in text
    assert (tmp_path / 'both.html').exists()


def test_a_long_run_stays_small(tmp_path):
    """20,000 lines of a log, as with log_config.interval=1."""
    write_log(tmp_path, *(train_record(number, 1 / number) for number in range(1, 20_001)))
    page = write_report([tmp_path])
    assert page.stat().st_size < 2_600_000
    losses = read_data(page, 'charts')['losses']['data'][0]
    assert (losses['x'][0], losses['y'][0]) == (1, 1.0)
    assert losses['x'][-1] == 20_000


def test_without_plotly(tmp_path, monkeypatch):
    write_log(tmp_path, train_record(50))
    monkeypatch.setattr(plotly_file, 'find_spec', lambda name: None)
    with pytest.raises(MissingModuleError, match=r"tools/report\.py draws its charts with plotly, "
                       r"which is not installed: pip install 'plotly>=6', or pip install -e "
                       r'\.\[report\]'):
        write_report([tmp_path], user='tools/report.py')
    assert not (tmp_path / 'report.html').exists()


def test_a_page_that_cannot_be_written(tmp_path):
    write_log(tmp_path, train_record(50))
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='cannot write the page'):
        write_report([tmp_path], tmp_path / 'file' / 'x.html')
