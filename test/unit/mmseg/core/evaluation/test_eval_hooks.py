"""Evaluation in the course of training, with real runners."""
import json
import math
import os

import pytest
import torch
from torch import nn

from mmcv_replace.runner import (
    CheckpointHook,
    EpochBasedRunner,
    Hook,
    IterBasedRunner,
    TextLoggerHook,
)
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.core import DistEvalHook, EvalHook
from mmseg.core.evaluation.eval_hooks import infer_rule

EPOCH_LENGTH = 4


class Watch(Hook):
    """Notes after which iteration or epoch the data set was evaluated."""

    def __init__(self, dataset):
        self.dataset = dataset
        self.seen = 0
        self.at = []

    def _note(self, when):
        if len(self.dataset.evaluated) > self.seen:
            self.seen = len(self.dataset.evaluated)
            self.at.append(when)

    def before_train_iter(self, runner):
        self._note(f'before {runner.iter}')

    def after_train_iter(self, runner):
        self._note(runner.iter + 1)

    def after_train_epoch(self, runner):
        self._note(f'epoch {runner.epoch + 1}')


@pytest.fixture
def train_loader():
    return torch.utils.data.DataLoader(torch.zeros(EPOCH_LENGTH))


@pytest.fixture
def make_runner(model, tmp_path):
    """An untrained runner with the given evaluation hook."""
    def make(hook, length=6, by_epoch=False, **kwargs):
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        kwargs = dict(work_dir=tmp_path, optimizer=optimizer) | kwargs
        if by_epoch:
            runner = EpochBasedRunner(model, max_epochs=length, **kwargs)
        else:
            runner = IterBasedRunner(model, max_iters=length, **kwargs)
        runner.register_hook(hook, 'LOW')
        return runner
    return make


@pytest.fixture
def scripted(dataset, monkeypatch):
    """Let the evaluations of the data set return these scores, one after the other."""
    def script(*scores):
        remaining = iter(scores)
        monkeypatch.setattr(dataset, 'evaluate',
                            lambda results, **kwargs: dict(next(remaining)))
    return script


def files(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def run(runner, train_loader):
    runner.run([train_loader], [('train', 1)])


@pytest.mark.parametrize(('options', 'expected'), [
    ({}, [1, 2, 3, 4, 5, 6]),
    (dict(interval=2), [2, 4, 6]),
    (dict(interval=4), [4]),
    (dict(interval=2, start=3), [3, 5]),
    (dict(interval=4, start=0), ['before 0', 4]),
])
def test_iterations_of_evaluation(make_runner, make_loader, dataset, train_loader, options,
                                  expected):
    runner = make_runner(EvalHook(make_loader(), save_best=None, **options))
    watch = Watch(dataset)
    runner.register_hook(watch, 'VERY_LOW')
    run(runner, train_loader)
    assert watch.at == expected


@pytest.mark.parametrize(('options', 'expected'), [
    ({}, ['epoch 1', 'epoch 2', 'epoch 3']),
    (dict(interval=2), ['epoch 2']),
    (dict(start=2), ['epoch 2', 'epoch 3']),
    (dict(start=0, interval=3), ['before 0', 'epoch 3']),
])
def test_epochs_of_evaluation(make_runner, make_loader, dataset, train_loader, options, expected):
    hook = EvalHook(make_loader(), by_epoch=True, save_best=None, **options)
    runner = make_runner(hook, length=3, by_epoch=True)
    watch = Watch(dataset)
    runner.register_hook(watch, 'VERY_LOW')
    run(runner, train_loader)
    assert watch.at == expected


def test_training_mode_is_restored_and_training_goes_on(make_runner, make_loader, model,
                                                        train_loader):
    modes = []

    class Mode(Hook):
        def after_train_iter(self, runner):
            modes.append(runner.model.training)

    runner = make_runner(EvalHook(make_loader()))
    runner.register_hook(Mode(), 'VERY_LOW')
    run(runner, train_loader)
    assert modes == [True] * 6
    assert set(model.module.modes) == {(False, True)}


def test_arguments_reach_the_dataset(make_runner, make_loader, dataset, train_loader):
    run(make_runner(EvalHook(make_loader(), interval=6, metric='mDice')), train_loader)
    assert dataset.evaluated[0][1] == 'mDice'


def test_table_goes_to_the_log_of_the_run(make_runner, make_loader, dataset, train_loader):
    runner = make_runner(EvalHook(make_loader(), interval=6))
    run(runner, train_loader)
    assert dataset.evaluated[0][2] is runner.logger


def test_log_lines(make_runner, make_loader, train_loader, tmp_path, caplog):
    runner = make_runner(EvalHook(make_loader(), interval=2), length=2)
    runner.register_training_hooks(
        dict(policy='fixed'), log_config=dict(interval=2, hooks=[dict(type='TextLoggerHook')]))
    with caplog.at_level('INFO'):
        run(runner, train_loader)
    line = next(record.message for record in caplog.records if 'Iter(val)' in record.message)
    assert line.startswith('Iter(val) [2]\t')
    assert 'mIoU: 0.' in line
    assert 'road' not in line
    logged = next(tmp_path.glob('*.log.json')).read_text().splitlines()
    train, val = map(json.loads, logged[1:])
    assert (train['mode'], train['iter'], val['mode'], val['iter']) == ('train', 2, 'val', 2)
    assert 'loss' in train
    assert {'aAcc', 'mIoU', 'mAcc'} <= val.keys()
    assert 'loss' not in val


def test_best_checkpoint_replaces_the_former(make_runner, make_loader, train_loader, scripted,
                                             tmp_path):
    scripted(*({'aAcc': 0.9, 'mIoU': score} for score in (0.3, 0.5, 0.4, 0.5, 0.6, math.nan)))
    seen = []

    class Files(Hook):
        def after_train_iter(self, runner):
            seen.append((files(tmp_path), runner.hook_msgs['best_score']))

    runner = make_runner(EvalHook(make_loader()))
    runner.register_hook(Files(), 'VERY_LOW')
    run(runner, train_loader)
    assert seen == [(['best_mIoU_iter_1.pth'], 0.3)] + [(['best_mIoU_iter_2.pth'], 0.5)] * 3 \
        + [(['best_mIoU_iter_5.pth'], 0.6)] * 2
    stored = torch.load(tmp_path / 'best_mIoU_iter_5.pth', weights_only=True)
    assert stored['meta']['iter'] == 5
    assert stored['meta']['hook_msgs']['best_score'] == 0.6
    assert stored['meta']['hook_msgs']['best_ckpt'] == str(tmp_path / 'best_mIoU_iter_5.pth')
    assert 'optimizer' in stored


def test_latest_does_not_point_at_the_best(make_runner, make_loader, train_loader, tmp_path):
    runner = make_runner(EvalHook(make_loader(), interval=6))
    runner.register_hook(CheckpointHook(interval=3, by_epoch=False))
    run(runner, train_loader)
    assert os.path.realpath(tmp_path / 'latest.pth') == str(tmp_path / 'iter_6.pth')
    assert 'best_mIoU_iter_6.pth' in files(tmp_path)


def test_best_by_epoch(make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.2}, {'mIoU': 0.4}, {'mIoU': 0.3})
    run(make_runner(EvalHook(make_loader(), by_epoch=True), 3, by_epoch=True), train_loader)
    assert files(tmp_path) == ['best_mIoU_epoch_2.pth']


@pytest.mark.parametrize(('options', 'scores', 'expected'), [
    ({}, dict(aAcc=[1, 2, 0]), 'best_aAcc_iter_2.pth'),
    (dict(save_best='mDice'), dict(mIoU=[3, 2, 1], mDice=[1, 2, 0]), 'best_mDice_iter_2.pth'),
    (dict(save_best='val_loss'), dict(val_loss=[3, 1, 2]), 'best_val_loss_iter_2.pth'),
    (dict(save_best='speed', rule='greater'), dict(speed=[1, 2, 0]), 'best_speed_iter_2.pth'),
    (dict(rule='less'), dict(mIoU=[1, 2, 0.5]), 'best_mIoU_iter_3.pth'),
])
def test_metric_and_rule(make_runner, make_loader, train_loader, scripted, tmp_path, options,
                         scores, expected):
    scripted(*(dict(zip(scores, values, strict=True))
               for values in zip(*scores.values(), strict=True)))
    run(make_runner(EvalHook(make_loader(), **options), 3), train_loader)
    assert files(tmp_path) == [expected]


@pytest.mark.parametrize('save_best', [None, False])
def test_no_best_checkpoint_on_request(make_runner, make_loader, train_loader, tmp_path, save_best):
    run(make_runner(EvalHook(make_loader(), save_best=save_best)), train_loader)
    assert files(tmp_path) == []


def test_without_work_dir_nothing_is_saved(make_runner, make_loader, dataset, train_loader):
    run(make_runner(EvalHook(make_loader(), interval=6), work_dir=None), train_loader)
    assert len(dataset.evaluated) == 1


@pytest.mark.parametrize(('next_score', 'expected'), [(0.4, 'best_mIoU_iter_4.pth'),
                                                      (0.6, 'best_mIoU_iter_5.pth')])
def test_resumed_run_knows_the_best_of_the_iteration_it_resumes(
        make_runner, make_loader, train_loader, scripted, tmp_path, next_score, expected):
    """iter_4.pth is written before the evaluation at 4 that finds the best score."""
    scripted({'mIoU': 0.3}, {'mIoU': 0.5}, {'mIoU': next_score})
    runner = make_runner(EvalHook(make_loader(), interval=2), 4)
    runner.register_hook(CheckpointHook(interval=2, by_epoch=False))
    run(runner, train_loader)
    assert 'best_mIoU_iter_4.pth' in files(tmp_path)

    resumed = make_runner(EvalHook(make_loader(), interval=5), 5)
    resumed.resume(tmp_path / 'iter_4.pth')
    run(resumed, train_loader)
    assert [name for name in files(tmp_path) if 'best' in name] == [expected]


def test_resumed_run_finds_the_best_in_a_moved_folder(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.3}, {'mIoU': 0.5})
    run(make_runner(EvalHook(make_loader()), 1, work_dir=tmp_path / 'a'), train_loader)
    (tmp_path / 'a').rename(tmp_path / 'b')
    second = make_runner(EvalHook(make_loader()), 2, work_dir=tmp_path / 'b')
    second.resume(tmp_path / 'b/best_mIoU_iter_1.pth')
    run(second, train_loader)
    assert files(tmp_path / 'b') == ['best_mIoU_iter_2.pth']


def test_new_run_forgets_the_best_of_the_former(make_runner, make_loader, train_loader, scripted,
                                                tmp_path):
    scripted({'mIoU': 0.5}, {'mIoU': 0.3})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    second = make_runner(EvalHook(make_loader(), interval=2), 2)
    run(second, train_loader)
    assert second.hook_msgs['best_score'] == 0.3


def test_resume_in_another_folder_leaves_the_former_best_there(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.3}, {'mIoU': 0.5})
    first = make_runner(EvalHook(make_loader()), 1, work_dir=tmp_path / 'a')
    run(first, train_loader)
    second = make_runner(EvalHook(make_loader()), 2, work_dir=tmp_path / 'b')
    second.resume(tmp_path / 'a/best_mIoU_iter_1.pth')
    run(second, train_loader)
    assert files(tmp_path / 'a') == ['best_mIoU_iter_1.pth']
    assert files(tmp_path / 'b') == ['best_mIoU_iter_2.pth']


def test_other_metric_starts_afresh(make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.5, 'mAcc': 0.9}, {'mIoU': 0.4, 'mAcc': 0.2})
    run(make_runner(EvalHook(make_loader(), save_best='mAcc'), 1), train_loader)
    second = make_runner(EvalHook(make_loader()), 2)
    second.resume(tmp_path / 'best_mAcc_iter_1.pth')
    run(second, train_loader)
    assert second.hook_msgs['best_score'] == 0.4
    assert files(tmp_path) == ['best_mAcc_iter_1.pth', 'best_mIoU_iter_2.pth']


def test_only_rank_0_writes(make_runner, make_loader, train_loader, tmp_path):
    runner = make_runner(EvalHook(make_loader()), 1)
    runner.rank = 1
    run(runner, train_loader)
    assert files(tmp_path) == []
    assert runner.hook_msgs['best_ckpt'].endswith('best_mIoU_iter_1.pth')


@pytest.mark.parametrize('option', ['efficient_test', 'pre_eval', 'tmpdir', 'gpu_collect'])
def test_settings_without_effect_are_said(make_runner, make_loader, train_loader, monkeypatch,
                                          option):
    said = []
    monkeypatch.setattr('mmseg.core.evaluation.eval_hooks.warn_once', said.append)
    run(make_runner(EvalHook(make_loader(), **{option: True}), 1), train_loader)
    assert said == [f'evaluation.{option} has no effect: scoring keeps no predictions']
    EvalHook(make_loader(), **{option: None})
    assert len(said) == 1


@pytest.mark.parametrize(('options', 'message'), [
    (dict(interval=0), r'evaluation\.interval=0: it must be at least 1'),
    (dict(start=-1), r'evaluation\.start=-1'),
    (dict(rule='more'), r"evaluation\.rule='more': choose 'greater' or 'less'"),
    (dict(save_best='speed'), r"which value of evaluation\.save_best='speed' is better\? say "
                               r'evaluation\.rule'),
])
def test_bad_settings(make_loader, options, message):
    with pytest.raises(ConfigError, match=message):
        EvalHook(make_loader(), **options)


def test_dataloader_must_be_one(dataset):
    with pytest.raises(ArgumentError, match='must be a DataLoader, not TinyDataset'):
        EvalHook(dataset)


def test_first_score_whose_name_does_not_tell_what_is_better(
        make_runner, make_loader, train_loader, scripted, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('mmseg.core.evaluation.eval_hooks.warn_once', said.append)
    scripted({'speed': 3.0})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    assert files(tmp_path) == []
    assert "'speed' does not tell which value is better; say evaluation.rule" in said[0]


def test_best_metric_that_is_not_scored(make_runner, make_loader, train_loader):
    hook = EvalHook(make_loader(), save_best='mDice')
    with pytest.raises(ConfigError, match="save_best='mDice' is not among the scores.*mIoU"):
        run(make_runner(hook), train_loader)


@pytest.mark.parametrize(('metric', 'rule'), [
    ('mIoU', 'greater'), ('aAcc', 'greater'), ('mDice', 'greater'), ('mFscore', 'greater'),
    ('mPrecision', 'greater'), ('mRecall', 'greater'), ('val_loss', 'less'),
    ('boundary_error', 'less'), ('loss_of_iou', 'less'), ('speed', None)])
def test_infer_rule(metric, rule):
    assert infer_rule(metric) == rule


def test_dist_hook_in_one_process_does_the_same(make_runner, make_loader, dataset, train_loader,
                                                model, tmp_path):
    model.module.norm = nn.BatchNorm2d(3)
    run(make_runner(DistEvalHook(make_loader(), interval=6)), train_loader)
    assert len(dataset.evaluated) == 1
    assert files(tmp_path) == ['best_mIoU_iter_6.pth']


def test_text_logger_is_optional(make_runner, make_loader, train_loader):
    runner = make_runner(EvalHook(make_loader(), interval=6))
    assert not any(isinstance(hook, TextLoggerHook) for hook in runner.hooks)
    run(runner, train_loader)
