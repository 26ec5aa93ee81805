"""Evaluation in the course of training, with real runners."""
import json
import os
import signal
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.runner import HOOKS, Hook, TextLoggerHook, preemption
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.core import DistEvalHook, EvalHook
from mmseg.core.evaluation import standard
from mmseg.core.evaluation.eval_progress import missed_evaluation


def files(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def run(runner, train_loader):
    runner.run([train_loader], [('train', 1)])


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


def test_a_hook_of_users_evaluates_its_own_way(make_runner, make_loader, dataset, train_loader):
    class Own(EvalHook):
        def _should_evaluate(self, runner):
            return runner.iter in (1, 4)

        def _do_evaluate(self, runner):
            calls.append(runner.iter)
            if runner.iter > 1:
                super()._do_evaluate(runner)

    calls = []
    runner = make_runner(Own(make_loader(), start=0, save_best=None))
    watch = Watch(dataset)
    runner.register_hook(watch, 'VERY_LOW')
    run(runner, train_loader)
    assert calls == [0, 1, 4]
    assert watch.at == [5]


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
    assert set(model.module.modes) == {(False, False)}


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


def test_single_classes_are_left_to_the_table(make_runner, make_loader, dataset, train_loader):
    dataset.CLASSES = ('sky', 'road_ema', 'tree')
    logged = []

    class Watch(Hook):
        def after_train_iter(self, runner):
            logged.extend(runner.log_buffer.output)

    runner = make_runner(EvalHook(make_loader()), length=1)
    runner.register_hook(Watch(), 'VERY_LOW')
    run(runner, train_loader)
    assert {'aAcc', 'mIoU', 'mAcc'} <= set(logged)
    assert not any('.' in name for name in logged)


def test_an_evaluate_of_ones_own_gets_the_prefix_of_its_files(make_loader, dataset):
    assert EvalHook(make_loader(), imgfile_prefix='files').eval_kwargs == {}
    dataset.evaluate = lambda results, imgfile_prefix=None: {}
    assert EvalHook(make_loader(), imgfile_prefix='files').eval_kwargs == dict(
        imgfile_prefix='files')


def test_groups_of_classes_are_left_to_their_table_too(make_runner, make_loader, dataset, caplog,
                                                       train_loader):
    class Grouped(type(dataset)):
        score_groups = ('ground',)

        @standard
        def evaluate(self, results, metric='mIoU', logger=None):
            return super().evaluate(results, metric, logger) | {'IoU.ground': 0.1, 'IoU.all': 0.2}

    dataset.__class__ = Grouped
    logged = []

    class Watch(Hook):
        def after_train_iter(self, runner):
            logged.extend(runner.log_buffer.output)

    runner = make_runner(EvalHook(make_loader()), length=1)
    runner.register_hook(Watch(), 'VERY_LOW')
    run(runner, train_loader)
    assert 'IoU.all' in logged
    assert 'IoU.ground' not in logged


@pytest.mark.parametrize('option', ['efficient_test', 'pre_eval', 'tmpdir', 'gpu_collect',
                                    'imgfile_prefix'])
def test_settings_without_effect_are_said(make_runner, make_loader, train_loader, monkeypatch,
                                          option):
    said = []
    monkeypatch.setattr('mmseg.core.evaluation.eval_hooks.warn_once', said.append)
    run(make_runner(EvalHook(make_loader(), **{option: True}), 1), train_loader)
    assert said == [f'evaluation.{option} has no effect: scoring keeps no predictions']
    EvalHook(make_loader(), **{option: None})
    assert len(said) == 1


@pytest.mark.parametrize(('options', 'message'), [
    (dict(interval=0), 'interval=0 does not fit, it takes int from 1 on'),
    (dict(start=-1), r'start=-1 does not fit, it takes int from 0 on \| None'),
    (dict(rule='more'), r"rule='more' does not fit, it takes 'greater' \| 'less' \| None"),
    (dict(save_best='speed'), r"evaluation\.save_best='speed': which value is better\? say rule="),
])
def test_bad_settings(make_loader, options, message):
    with pytest.raises((ArgumentError, ConfigError), match=message):
        HOOKS.build(dict(options, type='EvalHook', dataloader=make_loader()))


def test_dataloader_must_be_one(dataset):
    with pytest.raises(ArgumentError, match='must be a DataLoader, not TinyDataset'):
        EvalHook(dataset)


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


def test_an_evaluation_that_is_cut_leaves_the_saving_to_the_end(make_runner, make_loader, model,
                                                                 train_loader, monkeypatch,
                                                                 tmp_path):
    """The model trains on as it was; nothing of the evaluation is noted."""
    monkeypatch.setattr(preemption, 'ECHO', -1)
    signals = iter([signal.SIGTERM, signal.SIGUSR1])

    plain = type(model.module).forward

    def interrupted(self, *args, **kwargs):
        os.kill(os.getpid(), next(signals))
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(type(model.module), 'forward', interrupted)
    runner = make_runner(EvalHook(make_loader(), interval=2), meta=dict(run_id='this'))
    runner.register_hook_from_cfg(dict(type='PreemptionHook'))
    model.train()
    with pytest.raises(SystemExit) as left:
        run(runner, train_loader)
    assert left.value.code == 75
    assert model.module.training
    assert files(tmp_path) == ['iter_2.pth', 'latest.pth']
    assert 'mIoU' not in runner.log_buffer.output
    assert missed_evaluation(runner, 2)


@pytest.mark.parametrize('kind', [EvalHook, DistEvalHook])
def test_a_hook_of_users_that_scores_by_itself(make_runner, make_loader, dataset, train_loader,
                                               kind):
    class Own(kind):
        def evaluate(self, runner, results):
            self.seen = results
            runner.log_buffer.output['mIoU'] = len(results) / 10
            runner.log_buffer.ready = True

    hook = Own(make_loader(2), interval=2)
    runner = make_runner(hook)
    logged = []

    class Look(Hook):
        def after_train_iter(self, runner):
            logged.append(runner.log_buffer.output.get('mIoU'))

    runner.register_hook(Look(), 'VERY_LOW')
    run(runner, train_loader)

    assert not dataset.evaluated
    for seg_map, expected in zip(hook.seen, dataset.preds, strict=True):
        np.testing.assert_array_equal(seg_map, expected)
    assert 0.7 in logged
    assert [name for name in files(Path(runner.work_dir)) if 'best_mIoU' in name]


def test_label_maps_may_be_scored_by_the_hook(make_runner, make_loader, dataset):
    hook = EvalHook(make_loader(), metric='mDice')
    runner = make_runner(hook)
    scores = dict(aAcc=0.5)
    dataset.evaluate = lambda results, **options: scores | dict(
        same=results is dataset.preds, **options)

    hook.evaluate(runner, dataset.preds)

    assert runner.log_buffer.output == dict(aAcc=0.5, same=True, metric='mDice',
                                            logger=runner.logger)
    assert runner.log_buffer.ready


def test_the_parameters_of_0_10(make_loader):
    hook, dist = EvalHook(make_loader(), 3, True), DistEvalHook(make_loader(), 3, True, True)

    assert (hook.interval, hook.by_epoch) == (dist.interval, dist.by_epoch) == (3, True)
    assert dist.gpu_collect
    assert dist.broadcast_bn_buffer
    assert EvalHook(make_loader(), efficient_test=True).eval_kwargs == {}


def test_models_and_data_of_users_in_plain_form(make_runner, train_loader):
    """As in the tests of mmsegmentation 0.10."""
    class Data(Dataset):
        def __getitem__(self, idx):
            return dict(img=torch.tensor([1]), img_metas={})

        def __len__(self):
            return 1

    class Model(nn.Module):
        def forward(self, img, img_metas, **kwargs):
            return img

    data = Data()
    data.evaluate = MagicMock(return_value=dict(test='success'))
    runner = make_runner(EvalHook(DataLoader(data, batch_size=1), by_epoch=False, interval=6))
    plain = Model()
    plain.train_step = runner.model.train_step
    runner.model = plain
    run(runner, train_loader)

    data.evaluate.assert_called_once_with([torch.tensor([1])], logger=runner.logger)
