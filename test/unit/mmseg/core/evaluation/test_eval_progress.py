"""An evaluation that a kill cut short is made up for when the run goes on."""
import json

import pytest

from mmcv_replace.runner.checkpoints.saver import CheckpointSaver
from mmseg.core import EvalHook
from mmseg.core.evaluation.eval_progress import NAME


class KilledError(Exception):
    pass


@pytest.fixture
def train(make_runner, make_loader, dataset, train_loader, tmp_path):
    """Runs a training of one run; returns how often it evaluated."""

    def run(length, run_id='one', resume=None, killed=False, by_epoch=False, save_best='auto',
            logged=False):
        hook = EvalHook(make_loader(), interval=1 if by_epoch else 2, save_best=save_best,
                        by_epoch=by_epoch)
        runner = make_runner(hook, length, by_epoch=by_epoch)
        runner.register_training_hooks(
            dict(policy='fixed'), checkpoint_config=dict(
                by_epoch=by_epoch, interval=1 if by_epoch else 2, async_save=False),
            log_config=dict(interval=1, hooks=[dict(type='TextLoggerHook', by_epoch=by_epoch)])
            if logged else None)
        runner.meta['run_id'] = run_id
        if resume is not None:
            runner.resume(tmp_path / resume)
        before = len(dataset.evaluated)
        with pytest.MonkeyPatch.context() as patch:
            if killed:
                def evaluate(*args, **kwargs):
                    raise KilledError
                patch.setattr(dataset, 'evaluate', evaluate)
            try:
                runner.run([train_loader], [('train', 1)])
            except KilledError:
                assert killed
        return len(dataset.evaluated) - before

    return run


def test_missed_evaluation_is_made_up_for(train, tmp_path):
    assert train(2, killed=True) == 0
    assert not (tmp_path / NAME).exists()
    assert train(4, resume='iter_2.pth') == 2
    assert (tmp_path / NAME).read_text() == 'one 4\n'


@pytest.mark.parametrize('length', [2, 4])
def test_the_log_gives_it_the_iteration_of_its_weights(train, tmp_path, length):
    train(2, killed=True)
    train(length, resume='iter_2.pth', logged=True)
    entries = [json.loads(line) for file in sorted(tmp_path.glob('*.log.json'))
               for line in file.read_text().splitlines()]
    assert [entry['iter'] for entry in entries if entry.get('mode') == 'val'] == [
        2, 4][:length // 2]


def test_no_evaluation_is_repeated(train):
    assert train(2) == 1
    assert train(4, resume='iter_2.pth') == 1


def test_last_evaluation_of_a_finished_training(train, tmp_path):
    train(2, killed=True)
    assert train(2, resume='iter_2.pth') == 1
    assert list(tmp_path.glob('best_mIoU_iter_2.pth'))


def test_a_kill_while_the_best_checkpoint_is_written(train, tmp_path, monkeypatch):
    """It is the evaluation that makes it, so that is made up for."""
    def killed(self, plain, path, afterwards):
        if path.name.startswith('best_'):
            raise RuntimeError('killed')
        work(self, plain, path, afterwards)

    work = CheckpointSaver._work
    monkeypatch.setattr(CheckpointSaver, '_work', killed)
    with pytest.raises(RuntimeError, match='killed'):
        train(2)
    monkeypatch.undo()
    assert not (tmp_path / NAME).exists()
    assert train(4, resume='iter_2.pth') == 2
    assert list(tmp_path.glob('best_mIoU_iter_*.pth'))


def test_a_run_that_goes_back_repeats_no_evaluation_of_the_one_before(train, tmp_path):
    train(2)
    assert train(4, run_id='two', resume='iter_2.pth') == 1


def test_epochs(train):
    assert train(1, killed=True, by_epoch=True) == 0
    assert train(2, resume='epoch_1.pth', by_epoch=True) == 2
    assert train(3, resume='epoch_2.pth', by_epoch=True) == 1


@pytest.mark.parametrize('content', ['other 4\n', 'one\n', 'one four\n', ''])
def test_a_note_of_another_run_does_not_count(train, tmp_path, content):
    train(2, killed=True)
    (tmp_path / NAME).write_text(content)
    assert train(4, resume='iter_2.pth') == 2


def test_runs_without_identity_go_on_as_before(train, tmp_path):
    train(2, run_id=None, killed=True)
    assert train(4, run_id=None, resume='iter_2.pth') == 1
    assert not (tmp_path / NAME).exists()


def test_a_note_that_cannot_be_written(train, tmp_path, caplog):
    (tmp_path / NAME).mkdir()
    with caplog.at_level('WARNING'):
        assert train(2, save_best=None) == 1
    assert f'cannot write {tmp_path / NAME}' in caplog.text
