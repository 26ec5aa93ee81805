"""Lines, JSON and curves of short runs."""
import json
import math
import re
import sys

import numpy as np
import pytest
import torch

from mmcv_replace.runner import HOOKS, Hook, LoggerHook, TextLoggerHook
from mmcv_replace.runner.hooks.logger import text as text_module
from mmcv_replace.utils.errors import ConfigError

TRAIN_LINE = re.compile(
    r'Iter \[(?P<iter>\d+)/(?P<max>\d+)\]\tlr: (?P<lr>\d\.\d{3}e[-+]\d\d), eta: \d+:\d\d:\d\d, '
    r'time: \d+\.\d{3}, data_time: \d+\.\d{3}, (memory: (?P<memory>\d+), )?fps: (?P<fps>\d+\.\d), '
    r'(?P<items>(\S+: \d+\.\d{4}(, )?)+)$')


class Scores(Hook):
    """Does what an evaluation does, every `interval` iterations."""

    def __init__(self, interval, **scores):
        self.interval = interval
        self.scores = scores

    def after_train_iter(self, runner):
        if self.every_n_iters(runner, self.interval):
            runner.log_buffer.output.update(self.scores)
            runner.log_buffer.ready = True


def run(make_runner, make_loader, hooks, interval=2, length=4, by_epoch=False, evaluation=None,
        workflow=(('train', 1),), **kwargs):
    runner = make_runner(by_epoch, **{'max_epochs' if by_epoch else 'max_iters': length},
                         **{'meta': {'seed': 7, 'exp_name': 'toy'}, **kwargs})
    runner.register_training_hooks(
        {'policy': 'poly'}, {}, None, {'interval': interval, 'hooks': hooks})
    if evaluation is not None:
        runner.register_hook(evaluation, 'LOW')
    runner.run([make_loader()] * len(workflow), list(workflow))
    return runner


def json_lines(runner, tmp_path):
    content = (tmp_path / 'work' / f'{runner.timestamp}.log.json').read_text()
    return [json.loads(line) for line in content.splitlines()]


def progress_lines(log_lines):
    return [line for line in log_lines if line.startswith(('Iter', 'Epoch'))]


def losses_of_a_run(make_runner, make_loader, length):
    losses = []

    class Keep(Hook):
        def after_train_iter(self, runner):
            losses.append(runner.outputs['loss'].item())

    run(make_runner, make_loader, [], length=length, evaluation=Keep())
    return losses


def test_train_line(make_runner, make_loader, log_lines):
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}])
    lines = progress_lines(log_lines)
    matches = [TRAIN_LINE.match(line) for line in lines]
    assert all(matches), lines
    assert [(m['iter'], m['max'], m['lr'], m['memory']) for m in matches] == [
        ('2', '4', '7.500e-02', None), ('4', '4', '2.500e-02', None)]
    losses = losses_of_a_run(make_runner, make_loader, 4)
    assert matches[0]['items'] == f'loss: {(losses[0] + losses[1]) / 2:.4f}, size: 2.0000'
    # Four batches of the sizes 2, 2, 2 and 1: the mean is over samples.
    assert matches[1]['items'] == f'loss: {(2 * losses[2] + losses[3]) / 3:.4f}, size: 1.6667'


def test_example_of_the_reference_has_this_form():
    """The line that upstream's users parse, up to the number of decimals of the items."""
    line = ('Iter [50/20000]\tlr: 9.979e-03, eta: 2:31:03, time: 0.455, data_time: 0.021, '
            'memory: 6084, fps: 35.2, decode.loss_seg: 1.0000, decode.acc_seg: 61.2000, '
            'aux.loss_seg: 0.5000, aux.acc_seg: 60.1000, loss: 1.5000')
    assert TRAIN_LINE.match(line)['memory'] == '6084'


def test_memory_where_the_device_counts_it(make_runner, make_loader, log_lines, monkeypatch,
                                           tmp_path):
    monkeypatch.setattr(text_module, 'max_memory_mb', lambda device: 6084)
    runner = run(make_runner, make_loader, [{'type': 'TextLoggerHook'}])
    assert TRAIN_LINE.match(progress_lines(log_lines)[0])['memory'] == '6084'
    assert json_lines(runner, tmp_path)[1]['memory'] == 6084


def test_json(make_runner, make_loader, tmp_path):
    runner = run(make_runner, make_loader, [{'type': 'TextLoggerHook'}],
                 evaluation=Scores(4, mIoU=np.float32(0.5), aAcc=0.25, classes='all'))
    meta, first, second, val = json_lines(runner, tmp_path)
    assert meta == {'seed': 7, 'exp_name': 'toy', 'start': meta['start']}
    assert ' '.join(first) == 'mode epoch iter lr data_time time fps loss size'
    assert (first['mode'], first['epoch'], first['iter'], first['lr']) == ('train', 1, 2, 0.075)
    losses = losses_of_a_run(make_runner, make_loader, 4)
    assert first['loss'] == pytest.approx((losses[0] + losses[1]) / 2, rel=1e-5)
    assert second['iter'] == 4
    assert val == {'mode': 'val', 'epoch': 1, 'iter': 4, 'lr': 0.025, 'mIoU': 0.5, 'aAcc': 0.25,
                   'classes': 'all'}


def test_small_and_undefined_numbers_in_json(make_runner, make_loader, tmp_path):
    runner = run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], lr=1e-7,
                 evaluation=Scores(4, IoU=[math.nan, 1.23456789]), length=4)
    assert json_lines(runner, tmp_path)[1]['lr'] == 7.5e-8
    assert json_lines(runner, tmp_path)[-1]['IoU'] == [None, 1.23457]


def test_validation_line_has_the_scores_alone(make_runner, make_loader, log_lines):
    """In an iteration that also ends a training interval both lines are written."""
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}],
        evaluation=Scores(4, mIoU=0.5, aAcc=0.75))
    lines = progress_lines(log_lines)
    assert [line.split('\t')[0] for line in lines] == ['Iter [2/4]', 'Iter [4/4]', 'Iter(val) [4]']
    assert lines[2] == 'Iter(val) [4]\tmIoU: 0.5000, aAcc: 0.7500'
    assert 'mIoU' not in lines[1]


def test_what_a_subclass_overrides_and_gets(make_runner, make_loader, tmp_path, log_lines):
    """`_log_info` and `_dump_log` of mmcv, and what `log` returns."""
    seen = []

    @HOOKS.register_module()
    class ShortHook(TextLoggerHook):
        def log(self, runner):
            seen.append(super().log(runner))

        def _log_info(self, log_dict, runner):
            super()._log_info({**log_dict, 'more': runner.iter}, runner)

        def _dump_log(self, log_dict, runner):
            super()._dump_log({**log_dict, 'rank': runner.rank}, runner)

    try:
        runner = run(make_runner, make_loader, [{'type': 'ShortHook', 'by_epoch': False}])
    finally:
        HOOKS.module_dict.pop('ShortHook')
    assert [(entry['mode'], entry['iter']) for entry in seen] == [('train', 2), ('train', 4)]
    assert {'lr', 'time', 'data_time', 'loss', 'epoch'} <= seen[0].keys()
    lines = [line for line in log_lines if line.startswith('Iter [')]
    assert [line.rpartition(', ')[2] for line in lines] == ['more: 1', 'more: 3']
    assert all(line['rank'] == 0 for line in json_lines(runner, tmp_path))


def test_scores_are_logged_at_once_and_once(make_runner, make_loader, log_lines):
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], interval=4,
        evaluation=Scores(3, mIoU=0.5))
    assert [line.split('\t')[0] for line in progress_lines(log_lines)] == [
        'Iter(val) [3]', 'Iter [4/4]']


def test_every_logger_gets_everything(make_runner, make_loader, monkeypatch):
    seen = []

    class Keep(LoggerHook):
        def log(self, runner):
            seen.append((self.name, self.get_mode(runner), self.get_iter(runner),
                         sorted(runner.log_buffer.output)))

    def named(name):
        hook = Keep(interval=2, by_epoch=False)
        hook.name = name
        return hook

    run(make_runner, make_loader, [named('a'), named('b')], evaluation=Scores(4, mIoU=0.5))
    train = ['data_time', 'fps', 'loss', 'size', 'time']
    assert seen == [(name, *rest) for rest, names in [
        (('train', 2, train), 'ab')] for name in names] + [
        ('a', 'train', 4, train), ('a', 'val', 4, ['mIoU']),
        ('b', 'train', 4, train), ('b', 'val', 4, ['mIoU'])]


def test_momentum_is_shown_with_a_momentum_policy_only(make_runner, make_loader, log_lines):
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], momentum=0.9)
    assert 'momentum' not in progress_lines(log_lines)[0]
    runner = make_runner(momentum=0.8)
    runner.register_training_hooks(
        None, {}, None, {'interval': 1, 'hooks': [{'type': 'TextLoggerHook'}]},
        {'policy': 'step', 'step': 100})
    runner.run([make_loader()], [('train', 1)])
    assert ', momentum: 0.8000, eta: ' in progress_lines(log_lines)[-1]


def test_eta_is_at_the_pace_of_this_run(make_runner, make_loader, log_lines, monkeypatch):
    """10 s an iteration, evaluation and all: 3 of 6 iterations are left after the third."""
    now = [0.0]

    class Advance(Hook):
        def before_train_iter(self, runner):
            now[0] += 10

    monkeypatch.setattr(text_module.time, 'perf_counter', lambda: now[0])
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], interval=3, length=6,
        evaluation=Advance())
    lines = progress_lines(log_lines)
    assert ', eta: 0:00:30, ' in lines[0]
    assert ', eta: 0:00:00, ' in lines[1]


def test_epochs(make_runner, make_loader, log_lines, tmp_path):
    runner = run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], interval=3, length=2,
                 by_epoch=True, workflow=[('train', 1), ('val', 1)])
    heads = [line.split('\t')[0] for line in progress_lines(log_lines)]
    assert heads == ['Epoch [1][3/4]', 'Epoch(val) [1][4]', 'Epoch [2][3/4]', 'Epoch [2][4/4]',
                     'Epoch(val) [2][4]']
    entries = json_lines(runner, tmp_path)[1:]
    assert [(e['mode'], e['epoch'], e['iter']) for e in entries] == [
        ('train', 1, 3), ('val', 1, 4), ('train', 2, 3), ('train', 2, 4), ('val', 2, 4)]


@pytest.mark.parametrize(('interval', 'length', 'iters', 'means_of'), [
    (3, 7, [3, 6, 7], [3, 3, 1]), (3, 8, [3, 6, 8], [3, 3, 2]), (4, 8, [4, 8], [4, 4]),
    (50, 5, [5], [5]), (1, 2, [1, 2], [1, 1])])
def test_the_last_iteration_is_logged_once(make_runner, make_loader, log_lines, tmp_path, interval,
                                           length, iters, means_of):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    losses = losses_of_a_run(make_runner, make_loader, length)
    sizes = [2, 2, 2, 1] * 2
    runner = run(make_runner, make_loader, [{'type': 'TensorboardLoggerHook'},
                                            {'type': 'TextLoggerHook'}], interval, length)
    means = [np.average(losses[end - count:end], weights=sizes[end - count:end])
             for end, count in zip(iters, means_of, strict=True)]
    entries = json_lines(runner, tmp_path)[1:]
    assert [entry['iter'] for entry in entries] == iters
    assert [entry['loss'] for entry in entries] == pytest.approx(means, rel=1e-5)
    assert [line.split('\t')[0] for line in progress_lines(log_lines)] == [
        f'Iter [{iteration}/{length}]' for iteration in iters]
    events = EventAccumulator(str(tmp_path / 'work' / 'tf_logs'))
    events.Reload()
    assert [event.step for event in events.Scalars('train/loss')] == iters


def test_the_last_iteration_of_epochs(make_runner, make_loader, log_lines):
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], interval=3, length=2, by_epoch=True)
    assert [line.split('\t')[0] for line in progress_lines(log_lines)] == [
        'Epoch [1][3/4]', 'Epoch [2][3/4]', 'Epoch [2][4/4]']


def test_rest_of_an_epoch(make_runner, make_loader, log_lines):
    run(make_runner, make_loader, [{'type': 'TextLoggerHook', 'ignore_last': False}], interval=3,
        length=1, by_epoch=True)
    assert [line.split('\t')[0] for line in progress_lines(log_lines)] == [
        'Epoch [1][3/4]', 'Epoch [1][4/4]']


def test_scores_from_before_an_epoch_are_not_lost(make_runner, make_loader, log_lines):
    class Early(Hook):
        def before_train_epoch(self, runner):
            runner.log_buffer.output['mIoU'] = 0.5
            runner.log_buffer.ready = True

    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], interval=50, length=1,
        by_epoch=True, evaluation=Early())
    assert [line.split('\t')[1] for line in progress_lines(log_lines)][0] == 'mIoU: 0.5000'


def test_means_of_an_epoch_do_not_reach_into_the_last_one(make_runner, make_loader, monkeypatch):
    seen = []
    monkeypatch.setattr(LoggerHook, 'log', lambda self, runner: seen.append(
        len(runner.log_buffer.val_history['loss'])))
    run(make_runner, make_loader, [LoggerHook(interval=3)], length=2, by_epoch=True, interval=3)
    assert seen == [3, 3, 4]  # all of an epoch that are there yet


def test_validation_loss_of_an_iteration_runner(make_runner, make_loader, log_lines, tmp_path):
    runner = run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], length=4, lr=0.0,
                 workflow=[('train', 4), ('val', 4)])
    lines = progress_lines(log_lines)
    assert lines[-1].startswith('Iter(val) [4]\t')
    losses = [runner.model.train_step(batch, None)['loss'].item() for batch in make_loader()]
    mean = np.average(losses, weights=[2, 2, 2, 1])
    assert f'loss: {mean:.4f}' in lines[-1]
    assert [(e['mode'], e['epoch']) for e in json_lines(runner, tmp_path)[1:]] == [
        ('train', 1), ('train', 1), ('val', 1)]


def test_history_is_bounded_by_the_largest_interval(make_runner, make_loader):
    runner = run(make_runner, make_loader, [{'type': 'TextLoggerHook', 'interval': 3},
                                            {'type': 'TextLoggerHook', 'interval': 2}], length=10)
    assert len(runner.log_buffer.val_history['loss']) == 3


def test_without_work_dir_there_is_no_json(make_runner, make_loader, log_lines):
    run(make_runner, make_loader, [{'type': 'TextLoggerHook'}], work_dir=None)
    assert len(progress_lines(log_lines)) == 2


def test_tensorboard(make_runner, make_loader, tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    run(make_runner, make_loader, [{'type': 'TensorboardLoggerHook'}, {'type': 'TextLoggerHook'}],
        momentum=0.9, evaluation=Scores(4, mIoU=0.5, note='fine'))
    events = EventAccumulator(str(tmp_path / 'work' / 'tf_logs'))
    events.Reload()
    assert {'train/loss', 'train/size', 'train/fps', 'val/mIoU', 'learning_rate',
            'momentum'} == set(events.Tags()['scalars'])
    assert [(e.step, round(e.value, 6)) for e in events.Scalars('learning_rate')] == [
        (2, 0.075), (4, 0.025)]
    assert [e.step for e in events.Scalars('momentum')] == [2, 4]
    assert [(e.step, e.value) for e in events.Scalars('val/mIoU')] == [(4, 0.5)]
    assert events.Tags()['tensors'] == ['val/note/text_summary']


def test_tensorboard_folder(make_runner, make_loader, tmp_path):
    pytest.importorskip('tensorboard')
    run(make_runner, make_loader, [{'type': 'TensorboardLoggerHook', 'log_dir': tmp_path / 'tb'}])
    assert list((tmp_path / 'tb').iterdir())


def test_tensorboard_without_a_folder(make_runner, make_loader):
    pytest.importorskip('tensorboard')
    with pytest.raises(ConfigError, match='set work_dir or log_dir'):
        run(make_runner, make_loader, [{'type': 'TensorboardLoggerHook'}], work_dir=None)


def test_tensorboard_is_missing(make_runner, make_loader, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    with pytest.raises(ConfigError, match=r"pip install 'mmseg-ascend\[tensorboard\]'"):
        run(make_runner, make_loader, [{'type': 'TensorboardLoggerHook'}])


def test_building_loggers_imports_no_tensorboard():
    before = set(sys.modules)
    HOOKS.build({'type': 'TensorboardLoggerHook'})
    assert not any(name.startswith('tensorboard') for name in set(sys.modules) - before)


@pytest.mark.parametrize(('value', 'scalar'), [
    (1, True), (0.5, True), (np.float32(1), True), (np.array(1), True), (torch.ones(1), True),
    (np.ones(2), False), ('a', False), ([1], False)])
def test_is_scalar(value, scalar):
    assert LoggerHook.is_scalar(value) is scalar
