"""Trainings that end since they no longer get better."""
import json
import math

import pytest
import torch

from mmcv_replace.runner import HOOKS, Hook, IterBasedRunner
from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation import early_stopping
from mmseg.core.evaluation.early_stopping import judge

NAN = math.nan


@pytest.mark.parametrize(('scores', 'options', 'best', 'waited', 'stop'), [
    ([], {}, None, 0, False),
    ([0.5], {}, 0.5, 0, False),
    ([0.5, 0.4], {}, 0.5, 1, False),
    ([0.5, 0.4, 0.5], {}, 0.5, 2, True),  # an equal score is not better
    ([0.5, 0.4, 0.51], {}, 0.51, 0, False),
    ([0.5, 0.4, 0.3, 0.9], {}, 0.5, 2, True),  # it had stopped before the last
    ([0.5, 0.6, 0.7], dict(min_delta=0.1), 0.7, 0, False),
    ([0.5, 0.59, 0.601], dict(min_delta=0.1), 0.601, 0, False),
    ([0.5, 0.59, 0.6], dict(min_delta=0.1), 0.5, 2, True),
    ([3.0, 2.0, 2.5], dict(rule='less'), 2.0, 1, False),
    ([3.0, 2.95, 2.91], dict(rule='less', min_delta=0.1), 3.0, 2, True),
    ([0.5, NAN, NAN], {}, 0.5, 2, True),
    ([NAN, 0.5, 0.4], {}, 0.5, 1, False),
    ([NAN, NAN], {}, None, 2, True),
    ([0.5, 0.4], dict(patience=1), 0.5, 1, True),
])
def test_verdicts(scores, options, best, waited, stop):
    found = judge(dict(enumerate(scores, 1)),
                  **{'patience': 2, 'min_delta': 0.0, 'rule': 'greater', **options})
    assert (found.best, found.waited, found.stop) == (best, waited, stop)


def test_the_order_is_that_of_training():
    assert judge({300: 0.4, 100: 0.5, 200: 0.45}, 2, 0.0, 'greater').stop


class Count(Hook):
    """The iterations that were trained."""

    def __init__(self):
        self.trained = []

    def before_train_iter(self, runner):
        self.trained.append(runner.iter)


@pytest.fixture
def train(make_runner, make_loader, train_loader, scripted, caplog):
    """A run whose evaluations have these scores; returns runner and trained iterations."""
    def run(scores, length=12, by_epoch=False, resume=None, run_id='this', evaluation=(),
            checkpoint=(), hooks=(), workflow=(('train', 1),), **options):
        scripted(*(each if isinstance(each, dict) else dict(mIoU=each) for each in scores))
        hook = EvalHook(make_loader(), **{'by_epoch': by_epoch, 'save_best': None, **dict(
            evaluation)})
        runner = make_runner(hook, length, by_epoch, meta=dict(run_id=run_id))
        runner.register_optimizer_hook({})
        if checkpoint is not None:
            runner.register_checkpoint_hook(dict(interval=4, **dict(checkpoint)))
        runner.register_timer_hook(dict(type='IterTimerHook'))
        runner.register_logger_hooks(dict(interval=100, hooks=[dict(type='TextLoggerHook')]))
        for each in hooks:
            runner.register_hook_from_cfg(each)
        if options:
            runner.register_hook_from_cfg(dict(type='EarlyStoppingHook', **options))
        count = Count()
        runner.register_hook(count, 'VERY_HIGH')
        if resume is not None:
            runner.resume(resume)
        with caplog.at_level('INFO'):
            runner.run([train_loader] * len(workflow), list(workflow))
        return runner, count.trained
    return run


SCORES = [0.1, 0.3, 0.2, 0.25, 0.29, 0.9, 0.9, 0.9]  # stops after the fifth with patience 3


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def test_it_stops_and_says_why(train, tmp_path, caplog):
    runner, trained = train(SCORES, patience=3)
    assert trained == [0, 1, 2, 3, 4]
    assert runner.finished_iters == 5
    assert names(tmp_path) == ['iter_4.pth', 'iter_5.pth', 'latest.pth']
    assert (tmp_path / 'latest.pth').resolve().name == 'iter_5.pth'
    assert ('the training stops after iteration 5: mIoU has not got better than 0.3000, of the '
            'evaluation at 2, in 3 evaluations') in caplog.text
    assert 'mIoU has not got better in 2 of 3 evaluations' in caplog.text


def test_it_does_not_stop_a_training_that_gets_better(train, tmp_path):
    runner, trained = train([0.1 * i for i in range(12)], patience=1)
    assert trained == [*range(12)]
    assert names(tmp_path) == ['iter_12.pth', 'iter_4.pth', 'iter_8.pth', 'latest.pth']


def test_the_rest_of_the_log_is_written(train, tmp_path):
    train(SCORES, patience=3)
    records = [json.loads(line) for line in next(tmp_path.glob('*.log.json')).open()][1:]
    assert [(record['mode'], record['iter']) for record in records[-3:-1]] == [
        ('train', 5), ('val', 5)]
    assert list(records[-1]) == ['stopped']
    assert 'in 3 evaluations' in records[-1]['stopped']


def test_a_checkpoint_of_that_iteration_is_not_written_twice(train, tmp_path, caplog):
    _, trained = train([0.5, 0.4, 0.4, 0.4], patience=3)
    assert len(trained) == 4
    assert names(tmp_path) == ['iter_4.pth', 'latest.pth']
    assert caplog.text.count('Saving checkpoint') == 1


@pytest.mark.parametrize('options', [dict(save_last=False), dict(max_keep_ckpts=1)])
def test_the_last_checkpoint_is_written_in_any_case(train, tmp_path, options):
    train(SCORES, patience=3, checkpoint=options)
    assert 'iter_5.pth' in names(tmp_path)


def test_without_checkpoints(train, tmp_path):
    _, trained = train(SCORES, patience=3, checkpoint=None)
    assert len(trained) == 5
    assert names(tmp_path) == []


def test_the_best_checkpoint_stays(train, tmp_path):
    train(SCORES, patience=3, evaluation=dict(save_best='mIoU'))
    assert 'best_mIoU_iter_2.pth' in names(tmp_path)


def test_epochs(train, tmp_path, caplog):
    runner, trained = train(SCORES, by_epoch=True, patience=3, checkpoint=dict(max_keep_ckpts=1))
    assert len(trained) == 5 * 4
    assert names(tmp_path) == ['epoch_5.pth', 'latest.pth']
    assert (tmp_path / 'latest.pth').resolve().name == 'epoch_5.pth'
    assert 'the training stops after epoch 5: ' in caplog.text


def test_in_the_middle_of_an_epoch(train, tmp_path, caplog):
    _, trained = train(SCORES, by_epoch=True, patience=3, evaluation=dict(by_epoch=False))
    assert trained == [0, 1, 2, 3, 4]
    assert names(tmp_path) == ['iter_5.pth', 'latest.pth']
    assert 'the training stops after iteration 5: ' in caplog.text
    checkpoint = torch.load(tmp_path / 'latest.pth', weights_only=False)
    assert (checkpoint['meta']['iter'], checkpoint['meta']['epoch']) == (5, 1)


def test_validation_of_the_workflow_takes_place(train, monkeypatch, model):
    model.val_step = model.module.val_step = lambda batch, optimizer: dict(
        loss=torch.zeros(()), log_vars={}, num_samples=1)
    stages = []

    @HOOKS.register_module(force=True)
    class NoteStages(Hook):
        def before_train_iter(self, runner):
            stages.append('train')

        def before_val_iter(self, runner):
            stages.append('val')

    train([0.5, 0.4], patience=1, hooks=[dict(type='NoteStages')],
          workflow=[('train', 3), ('val', 2)])
    assert stages == ['train', 'train', 'val', 'val']


@pytest.mark.parametrize(('metric', 'rule'), [('val/loss', None), ('speed', 'less')])
def test_less_is_better(train, metric, rule):
    _, trained = train([{metric: value} for value in (3, 2, 2.5, 2.2, 1)], metric=metric,
                       rule=rule, patience=2)
    assert len(trained) == 4


@pytest.mark.parametrize(('scores', 'end'), [([0.5, NAN, NAN, 0.9], 3), ([0.5, NAN, 0.6], 12)])
def test_nan_is_no_improvement_and_said(train, monkeypatch, scores, end):
    said = []
    monkeypatch.setattr(early_stopping, 'warn_once', said.append)
    _, trained = train(scores + [0.7 + i / 100 for i in range(12)], patience=2)
    assert len(trained) == end
    assert said[0] == 'EarlyStoppingHook: mIoU is NaN, which counts as no improvement'


@pytest.mark.parametrize(('metric', 'message'), [
    ('mDice', "metric='mDice' is not among the scores of this evaluation: mIoU, note"),
    ('acc_note', "metric='acc_note': its score is 'fine', and only a number gets better"),
])
def test_a_metric_that_does_not_exist(train, metric, message):
    with pytest.raises(ConfigError, match=f'EarlyStoppingHook: {message}'):
        train([dict(mIoU=0.5, note=1, acc_note='fine')], metric=metric)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(patience=0), r'patience=0 does not fit, it takes int from 1 on'),
    (dict(min_delta=-0.1), r'min_delta=-0\.1 does not fit, it takes float from 0 on'),
    (dict(metric='speed'), r"metric='speed': which value is better\? say rule='greater' or"),
    (dict(rule='more'), r"rule='more' does not fit, it takes 'greater' \| 'less' \| None"),
    (dict(pacience=3), 'patience'),
])
def test_bad_settings(options, message):
    with pytest.raises((ConfigError, ArgumentError), match=message):
        build_from_cfg(dict(type='EarlyStoppingHook', **options), HOOKS)


def test_a_place_before_the_evaluation(train):
    with pytest.raises(ConfigError, match='priority=50 runs before the evaluation: leave its'):
        train(SCORES, patience=3, priority='NORMAL')


def test_a_run_without_evaluations(make_runner, train_loader, caplog):
    runner = make_runner(Count(), 2)
    runner.register_hook_from_cfg(dict(type='EarlyStoppingHook'))
    runner.run([train_loader], [('train', 1)])
    assert 'EarlyStoppingHook has no effect: this run has no evaluations' in caplog.text


def test_a_loop_of_users_that_does_not_stop(train, monkeypatch):
    monkeypatch.setattr(IterBasedRunner, '_goes_on', lambda self: self._iter < self._max_iters)
    with pytest.raises(ConfigError, match='IterBasedRunner trains on after it was stopped'):
        train(SCORES, patience=3)


@pytest.mark.parametrize(('metric', 'end'), [('mIoU', 6), ('mIoU_ema', 3)])
def test_averaged_weights(train, metric, end):
    """The trained ones (every second score) get better, the averaged ones do not."""
    scores = [value for i in range(5) for value in (0.1 * i, 0.5)]
    _, trained = train(scores + [0.3] * 40, hooks=[dict(type='EMAHook')], metric=metric,
                       patience=2)
    assert len(trained) == (end if metric == 'mIoU_ema' else 7)


def test_averaged_weights_alone(train):
    ema = dict(type='EMAHook', evaluate_on_origin=False)
    _, trained = train(SCORES, hooks=[ema], metric='mIoU_ema', patience=3)
    assert len(trained) == 5
    with pytest.raises(ConfigError, match="metric='mIoU' is not among .*: mIoU_ema"):
        train(SCORES, hooks=[ema], patience=3)


# ------------------------------------------------------------------ resumes


@pytest.mark.parametrize('start', [1, 2, 3, 4])
def test_a_resumed_run_stops_where_the_other_did(train, tmp_path, start):
    """Checkpoints are written before the evaluation of the same iteration."""
    train(SCORES[:start], length=start, patience=3)
    runner, trained = train(SCORES[start:], patience=3, resume=tmp_path / f'iter_{start}.pth')
    assert trained == [*range(start, 5)]
    history = runner.hook_msgs['early_stopping']['mIoU']
    assert history == dict(enumerate(SCORES[:5], 1))


def test_a_repeated_evaluation_counts_once(train, tmp_path):
    train(SCORES[:4], length=4, patience=3)
    (tmp_path / '.evaluated').unlink()  # as if it had been killed before the end of the last one
    _, trained = train(SCORES[3:], patience=3, resume=tmp_path / 'iter_4.pth')
    assert trained == [4]


def test_later_evaluations_of_the_killed_run_do_not_count(train, tmp_path):
    """It is resumed from an earlier checkpoint, and its evaluations are repeated."""
    train(SCORES[:6], length=6, patience=9)
    _, trained = train([0.4, 0.35, 0.35, 0.35, 0.35], patience=3, resume=tmp_path / 'iter_4.pth')
    assert trained == [4, 5, 6, 7]


def test_a_run_that_had_stopped_is_finished(train, tmp_path, caplog):
    train(SCORES, patience=3)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob('*.pth')}
    runner, trained = train([0.99] * 9, patience=3, resume=tmp_path / 'latest.pth')
    assert trained == []
    assert runner.finished_iters == 5
    assert 'the run is finished: it was stopped early, as mIoU has not got better' in caplog.text
    assert 'raise patience of EarlyStoppingHook, or remove it from custom_hooks' in caplog.text
    assert before == {path.name: path.stat().st_mtime_ns for path in tmp_path.glob('*.pth')}


def test_it_trains_on_with_more_patience_or_without_the_hook(train, tmp_path):
    train(SCORES, patience=3)
    _, trained = train([0.2] * 9, patience=4, resume=tmp_path / 'latest.pth')
    assert trained == [5]
    _, trained = train([0.2] * 9, length=8, resume=tmp_path / 'iter_5.pth')
    assert trained == [5, 6, 7]


def test_scores_are_found_beside_the_checkpoint_of_another_folder(train, tmp_path, make_runner):
    train(SCORES[:4], length=4, patience=3)
    runner = make_runner(Count(), 5, work_dir=tmp_path / 'other', meta=dict(run_id='new'))
    runner.resume(tmp_path / 'iter_4.pth')
    assert early_stopping.recorded_scores(runner, 'mIoU') == dict(enumerate(SCORES[:4], 1))


def test_records_of_other_runs_in_the_folder_do_not_count(train, tmp_path):
    train([0.9] * 6, length=6, run_id='other')
    _, trained = train(SCORES, patience=3)
    assert len(trained) == 5


def test_two_of_them(train, tmp_path):
    hooks = [dict(type='EarlyStoppingHook', metric='mDice', patience=2)]
    scores = [dict(mIoU=0.1 * i, mDice=value) for i, value in enumerate([0.5, 0.6, 0.5, 0.5, 0.9])]
    runner, trained = train(scores, patience=2, hooks=hooks)
    assert len(trained) == 4
    assert runner.hook_msgs['early_stopping'].keys() == {'mDice', 'mIoU'}
