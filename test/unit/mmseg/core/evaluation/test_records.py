"""Evaluations on the disk."""
import json
import math

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.core import EvalHook
from mmseg.core.evaluation import read_evaluations, records
from mmseg.core.evaluation.records import read_record


@pytest.fixture
def train(make_runner, make_loader, train_loader):
    def run(length, run_id='this', resume=None, by_epoch=False, **options):
        hook = EvalHook(make_loader(), by_epoch=by_epoch, save_best=None, **options)
        runner = make_runner(hook, length, by_epoch, meta=dict(run_id=run_id))
        runner.register_checkpoint_hook(dict(interval=1))
        if resume is not None:
            runner.resume(resume)
        runner.run([train_loader], [('train', 1)])
        return runner
    return run


def test_what_is_written_is_read(train, dataset, tmp_path):
    train(3, interval=2)
    (record,) = read_evaluations(tmp_path)
    assert record.path == tmp_path / 'evaluations' / 'iter_2.npz'
    assert (record.done, record.by_epoch, record.averaged) == (2, False, False)
    assert (record.classes, record.palette) == (dataset.CLASSES, dataset.PALETTE)
    assert record.run_id == 'this'
    np.testing.assert_array_equal(record.confusion, dataset.evaluated[0][0].matrix)
    assert record.scores['aAcc'] == np.trace(record.confusion) / record.confusion.sum()
    with np.load(record.path, allow_pickle=False) as arrays:  # as others read it
        assert json.loads(str(arrays['record']))['scores']['mIoU'] == record.scores['mIoU']


def test_epochs(train, tmp_path):
    train(2, by_epoch=True)
    assert [(record.path.name, record.done, record.by_epoch)
            for record in read_evaluations(tmp_path)] == [
        ('epoch_1.npz', 1, True), ('epoch_2.npz', 2, True)]


def test_scores_that_are_no_numbers(train, scripted, tmp_path):
    scripted(dict(mIoU=float('nan'), note='fine', curve=[1, 2], worst=math.inf))
    train(1)
    (record,) = read_evaluations(tmp_path)
    assert math.isnan(record.scores.pop('mIoU'))
    assert record.scores == dict(note='fine', worst=math.inf)
    assert record.confusion is None


def test_they_come_in_the_order_of_training(train, tmp_path):
    train(11, interval=1)
    assert [record.done for record in read_evaluations(tmp_path)] == [*range(1, 12)]


def test_a_repeated_evaluation_is_kept_once(train, tmp_path):
    train(3)
    first = read_evaluations(tmp_path)
    train(4, resume=tmp_path / 'iter_2.pth')
    again = read_evaluations(tmp_path)
    assert [record.done for record in again] == [1, 2, 3, 4]
    assert again[2].time > first[2].time


def test_only_the_history_of_the_last_run(train, tmp_path):
    """The second goes on from iteration 2 of the first, the third from 3 of the second."""
    train(6, 'first')
    train(3, 'second', tmp_path / 'iter_2.pth')
    train(4, 'third', tmp_path / 'iter_3.pth')
    assert [(record.done, record.run_id) for record in read_evaluations(tmp_path)] == [
        (1, 'first'), (2, 'first'), (3, 'second'), (4, 'third')]
    assert [record.done for record in read_evaluations(tmp_path, every_run=True)] == [
        1, 2, 3, 4, 5, 6]
    train(2, 'fourth')
    assert [(record.done, record.run_id) for record in read_evaluations(tmp_path)] == [
        (1, 'fourth'), (2, 'fourth')]


def test_a_folder_without_evaluations(tmp_path):
    assert read_evaluations(tmp_path) == []


@pytest.mark.parametrize('content', [
    b'', b'no zip', dict(other=np.zeros(1)), dict(record=np.array('{')),
    dict(record=np.array('[1]')), dict(record=np.array('{"done": 3}')), 'cut',
])
def test_a_damaged_file_is_left_out_and_said(train, tmp_path, caplog, content):
    train(1)
    path = tmp_path / 'evaluations' / 'iter_9.npz'
    if isinstance(content, dict):
        np.savez(path, **content)
    else:
        whole = (tmp_path / 'evaluations' / 'iter_1.npz').read_bytes()
        path.write_bytes(whole[:200] if content == 'cut' else content)
    assert [record.done for record in read_evaluations(tmp_path)] == [1]
    assert f'{path} is no record of an evaluation, or damaged' in caplog.text
    with pytest.raises(DataError, match='delete it'):
        read_record(path)


def test_a_full_disk_does_not_end_the_training(train, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(records, 'warn_once', said.append)
    (tmp_path / 'evaluations').write_text('a file in the way')
    runner = train(1)
    assert runner.finished_iters == 1
    assert 'iter_1.npz cannot be written' in said[0]


def test_nothing_is_written_without_a_folder(make_runner, make_loader, train_loader, tmp_path):
    runner = make_runner(EvalHook(make_loader()), 1, work_dir=None)
    runner.run([train_loader], [('train', 1)])
    assert not list(tmp_path.iterdir())
