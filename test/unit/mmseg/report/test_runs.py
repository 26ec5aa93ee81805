"""Logs that are joined to runs: resumes, epochs, several runs in a folder, logs of 0.x."""
import math
import os

import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import read_evaluations
from mmseg.report.curves import scores_of
from mmseg.report.run import Resume
from mmseg.report.runs import find_run, read_runs
from mmseg.report.summary import summarize_run

from .conftest import train_record, val_record, write_log, write_record


def start(iteration, resumed_run=None):
    return dict(iter=iteration, epoch=0, resumed_run=resumed_run, by_epoch=False, length=400)


def records(*iterations, loss=1.0):
    return [train_record(iteration, loss) for iteration in iterations]


def test_one_run(tmp_path):
    write_log(tmp_path, *records(50, 100), val_record(100, 0.5), run_id='a', start=start(0))
    run = find_run(tmp_path)
    assert (run.name, run.unit, run.last, run.length) == (tmp_path.name, 'iteration', 100, 400)
    assert run.curve('train', 'loss') == ([50, 100], [1.0, 1.0])
    assert run.curve('val', 'mIoU') == ([100], [0.5])
    assert run.resumes == []
    assert run.notes == []


def test_a_resumed_run_is_joined_and_its_later_records_win(tmp_path):
    """Killed after 170 iterations, resumed from the checkpoint of 100."""
    write_log(tmp_path, *records(50, 100, 150), val_record(100, 0.25), run_id='a', start=start(0))
    write_log(tmp_path, *records(150, 200, loss=2.0), run_id='a', start=start(100),
              stamp='20260103_000000')
    run, = read_runs(tmp_path)
    assert run.curve('train', 'loss') == ([50, 100, 150, 200], [1.0, 1.0, 2.0, 2.0])
    assert run.curve('val', 'mIoU') == ([100], [0.25])
    assert run.resumes == [Resume(100, '20260103_000000', 50)]


def test_what_lies_behind_the_resume_is_gone(tmp_path):
    write_log(tmp_path, *records(50, 100, 150, 200), val_record(200, 0.9), run_id='a',
              start=start(0))
    write_log(tmp_path, *records(150), run_id='a', start=start(100), stamp='20260103_000000')
    write_record(tmp_path, 100, {'mIoU': 0.5}, run_id='a')
    write_record(tmp_path, 200, {'mIoU': 0.9}, run_id='a')
    run = find_run(tmp_path)
    assert run.last == 150
    assert run.val == []
    assert [record.done for record in run.evaluations] == [100]


def test_an_evaluation_that_the_resume_repeats_counts_once(tmp_path):
    write_log(tmp_path, *records(50, 100), val_record(100, 0.5), run_id='a', start=start(0))
    write_log(tmp_path, val_record(100, 0.6), *records(150), run_id='a', start=start(100),
              stamp='20260103_000000')
    assert find_run(tmp_path).curve('val', 'mIoU') == ([100], [0.6])
    assert find_run(tmp_path).curve('train', 'loss')[0] == [50, 100, 150]


def test_two_resumes(tmp_path):
    write_log(tmp_path, *records(50, 100), run_id='a', start=start(0))
    write_log(tmp_path, *records(150), run_id='a', start=start(100), stamp='20260103_000000')
    write_log(tmp_path, *records(200), run_id='a', start=start(150), stamp='20260104_000000')
    run = find_run(tmp_path)
    assert [(each.at, each.lost) for each in run.resumes] == [(100, 0), (150, 0)]
    assert run.curve('train', 'loss')[0] == [50, 100, 150, 200]


def test_a_new_run_in_the_folder_is_another_one(tmp_path):
    write_log(tmp_path, *records(50, 100), run_id='a', start=start(0))
    write_log(tmp_path, *records(50, loss=7.0), run_id='b', start=start(0), stamp='20260103_000000')
    write_record(tmp_path, 50, {'mIoU': 0.1}, run_id='a')
    write_record(tmp_path, 100, {'mIoU': 0.2}, run_id='b')
    first, second = read_runs(tmp_path)
    assert (first.last, second.last) == (100, 50)
    assert [record.done for record in first.evaluations] == [50]
    run = find_run(tmp_path)
    assert run.curve('train', 'loss') == ([50], [7.0])
    assert run.notes == ['not shown, other runs in this folder: 20260102_000000.log.json (name '
                         'such a file in place of the folder to see its run)']
    assert find_run(tmp_path / '20260102_000000.log.json').last == 100


def test_a_run_that_went_on_from_another_one_is_joined(tmp_path):
    """--resume-from begins a run of its own, with another ID."""
    write_log(tmp_path, *records(50, 100), run_id='a', start=start(0))
    write_log(tmp_path, *records(150), run_id='b', start=start(100, 'a'), stamp='20260103_000000')
    run, = read_runs(tmp_path)
    assert run.curve('train', 'loss')[0] == [50, 100, 150]


def test_a_run_from_a_checkpoint_of_elsewhere_is_marked(tmp_path):
    write_log(tmp_path, *records(150), run_id='b', start=start(100, 'a'))
    assert find_run(tmp_path).resumes == [Resume(100, '20260102_000000', 0)]


def test_a_start_that_failed_does_not_hide_the_run(tmp_path):
    write_log(tmp_path, *records(50), run_id='a', start=start(0))
    write_log(tmp_path, run_id='b', start=start(0), stamp='20260103_000000')
    assert find_run(tmp_path).last == 50


def test_an_empty_run(tmp_path):
    write_log(tmp_path, run_id='a', start=start(0))
    run = find_run(tmp_path)
    assert (run.last, run.keys('train'), run.length) == (0, [], 400)
    assert 'the run ended before its first line' in run.notes[0]


def epochs(*places):
    return [train_record(iteration, epoch=epoch) for epoch, iteration in places]


def test_epochs(tmp_path):
    write_log(tmp_path, *epochs((1, 10), (1, 20)), val_record(5, 0.5), *epochs((2, 10), (2, 20)),
              val_record(5, 0.6, epoch=2), run_id='a')
    run = find_run(tmp_path)
    assert run.unit == 'epoch'
    assert run.curve('train', 'loss')[0] == [0.5, 1, 1.5, 2]
    assert run.curve('val', 'mIoU') == ([1, 2], [0.5, 0.6])


def test_resumed_epochs(tmp_path):
    write_log(tmp_path, *epochs((1, 10), (1, 20)), val_record(5, 0.5), *epochs((2, 10)), run_id='a')
    write_log(tmp_path, *epochs((2, 10), (2, 20)), val_record(5, 0.6, epoch=2), run_id='a',
              stamp='20260103_000000', config="runner = dict(type='EpochBasedRunner')")
    run = find_run(tmp_path)
    assert run.curve('train', 'loss')[0] == [0.5, 1, 1.5, 2]
    assert run.curve('val', 'mIoU') == ([1, 2], [0.5, 0.6])
    assert run.resumes == [Resume(1, '20260103_000000', 0.5)]


def epoch_start(iteration, by_epoch):
    return dict(iter=iteration, resumed_run=None, by_epoch=by_epoch, length=3, epoch_length=12)


def test_evaluations_by_epochs_in_a_log_of_iterations(tmp_path):
    """log_config and evaluation of an EpochBasedRunner may count differently."""
    write_log(tmp_path, *records(8), val_record(12, 0.1), *records(16, 24), val_record(24, 0.2),
              run_id='a', start=epoch_start(0, False))
    for done in (1, 2):
        write_record(tmp_path, done, {'mIoU': done / 10}, run_id='a', by_epoch=True)
    run = find_run(tmp_path)
    assert scores_of(run)['mIoU'] == {12: 0.1, 24: 0.2}
    assert [(record.done, record.by_epoch, record.path.name) for record in run.evaluations] == [
        (12, False, 'epoch_1.npz'), (24, False, 'epoch_2.npz')]


def test_evaluations_by_iterations_in_a_log_of_epochs(tmp_path):
    write_log(tmp_path, *epochs((1, 5), (1, 10)), val_record(9, 0.1), *epochs((2, 5)),
              val_record(6, 0.2, epoch=2), val_record(4, 0.3, epoch=2, loss=1.0), run_id='a',
              start=epoch_start(0, True))
    for done in (9, 18):
        write_record(tmp_path, done, {'mIoU': done / 90}, run_id='a')
    run = find_run(tmp_path)
    # A validation of the workflow, which has a loss, is at the end of its epoch.
    assert run.curve('val', 'mIoU') == ([0.75, 1.5, 2], [0.1, 0.2, 0.3])
    assert [(record.done, record.by_epoch) for record in run.evaluations] == [
        (0.75, True), (1.5, True)]
    # 10 of 12 iterations are not an epoch, though no later one is logged.
    assert run.curve('train', 'loss')[0] == [0.416667, 0.833333, 1.416667]
    assert run.resumes == []


def test_epochs_resumed_amid_one(tmp_path):
    write_log(tmp_path, *epochs((1, 5), (1, 10), (2, 5)), run_id='a', start=epoch_start(0, True))
    write_log(tmp_path, *epochs((2, 5), (2, 10)), run_id='a', start=epoch_start(15, True),
              stamp='20260103_000000')
    assert find_run(tmp_path).resumes == [
        Resume(1.25, '20260103_000000', pytest.approx(1 / 6, abs=1e-5))]


@pytest.mark.parametrize(('meta', 'by_epoch'), [
    ({}, False), (dict(config="runner = dict(type='EpochBasedRunner', max_epochs=3)"), True),
    (dict(start=dict(by_epoch=True, length=3)), True)])
def test_one_epoch_alone(tmp_path, meta, by_epoch):
    write_log(tmp_path, *epochs((1, 10), (1, 20)), **meta)
    run = find_run(tmp_path)
    assert run.by_epoch == by_epoch
    assert run.length == (3 if by_epoch else None)


def test_passes_over_the_data_are_no_epochs_where_iterations_are_counted(tmp_path):
    write_log(tmp_path, *epochs((1, 10), (2, 20), (3, 30)))
    assert find_run(tmp_path).curve('train', 'loss')[0] == [10, 20, 30]


def test_logs_of_0x(tmp_path):
    """No run ID; the number of a validation is that of its batches."""
    write_log(tmp_path, *records(50, 100), val_record(1449, 0.3), *records(150), seed=0,
              stamp='20210101_000000')
    write_log(tmp_path, *records(150, 200, loss=2.0), val_record(1449, 0.4), seed=0,
              stamp='20210102_000000')
    run, = read_runs(tmp_path)
    assert run.curve('val', 'mIoU') == ([100, 200], [0.3, 0.4])
    assert run.curve('train', 'loss') == ([50, 100, 150, 200], [1.0, 1.0, 2.0, 2.0])


def test_logs_of_0x_that_begin_anew_are_runs_of_their_own(tmp_path):
    for stamp in ('20210101_000000', '20210102_000000'):
        write_log(tmp_path, *records(50, 100), stamp=stamp)
    assert len(read_runs(tmp_path)) == 2


def test_a_log_of_0x_by_its_name_stands_alone(tmp_path):
    write_log(tmp_path, *records(50, 100), stamp='20210101_000000')
    file = write_log(tmp_path, *records(150), stamp='20210102_000000').rename(
        tmp_path / 'log2.json')
    run = find_run(file)
    assert run.name == 'log2.json'
    assert run.curve('train', 'loss')[0] == [150]


def test_not_finite(tmp_path):
    write_log(tmp_path, *records(50), train_record(100, None))
    values = find_run(tmp_path).curve('train', 'loss')[1]
    assert values[0] == 1.0
    assert math.isnan(values[1])


@pytest.mark.parametrize('content', [b'import os\n', b'PK\x03\x04\xff\n{"a', b'[1, 2]'])
def test_a_file_that_is_no_log(tmp_path, content):
    """Such as a config or a checkpoint, which is given by mistake."""
    (tmp_path / 'x.py').write_bytes(content)
    with pytest.raises(DataError, match=r'x\.py is no log: .* name a work directory, or a TIME'):
        find_run(tmp_path / 'x.py')


@pytest.mark.parametrize(('name', 'message'), [
    ('', r'has no TIMESTAMP\.log\.json: name the --work-dir of a training'),
    ('none', r'is no folder with a TIMESTAMP\.log\.json')])
def test_a_folder_without_a_run(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        find_run(tmp_path / name)


def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    def closed(path, *args):  # the tests may run as root, for whom nothing is
        raise PermissionError(13, 'Permission denied', str(path))
    write_log(tmp_path, train_record(50))
    write_record(tmp_path, 50, {})
    for read in (find_run, read_runs, summarize_run, read_evaluations):
        with monkeypatch.context() as context:
            context.setattr(os, 'listdir', closed)
            context.setattr(os, 'stat', closed)
            with pytest.raises(DataError, match='cannot read the folder .*: Permission denied'):
                read(tmp_path)
