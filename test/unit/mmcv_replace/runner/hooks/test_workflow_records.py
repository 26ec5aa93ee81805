"""Records of training and of validation, where a workflow has both."""
import json

import pytest
import torch

from mmcv_replace.runner import Hook


def json_lines(runner, tmp_path):
    content = (tmp_path / 'work' / f'{runner.timestamp}.log.json').read_text()
    return [json.loads(line) for line in content.splitlines()]


class TellsMode(torch.nn.Module):
    """Its losses tell training (its iteration, from 1) from validation (1000 and more)."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.trained = self.validated = 0

    def _outputs(self, value, **more):
        loss = 0 * self.weight.sum() + value
        return {'loss': loss, 'log_vars': {'loss': loss.detach(), **more}, 'num_samples': 1}

    def train_step(self, data, optimizer):
        self.trained += 1
        return self._outputs(float(self.trained))

    def val_step(self, data, optimizer):
        self.validated += 1
        return self._outputs(1000.0 * self.validated, acc=0.5)


@pytest.mark.parametrize(('by_epoch', 'interval', 'expected'), [
    # Of iterations: three of training, then two of validation.
    (False, 2, [('train', 2, 1.5), ('val', 3, 1500), ('train', 4, 3.5), ('train', 6, 5.5),
                ('val', 6, 3500), ('train', 8, 7.5), ('train', 9, 9), ('val', 9, 5500)]),
    (False, 4, [('val', 3, 1500), ('train', 4, 2.5), ('val', 6, 3500), ('train', 8, 6.5),
                ('train', 9, 9), ('val', 9, 5500)]),
    # Of epochs with two iterations: two of training, then one of validation.
    (True, 2, [('train', 2, 1.5), ('train', 4, 3.5), ('val', 4, 1500), ('train', 6, 5.5),
               ('train', 8, 7.5), ('val', 8, 3500)]),
])
def test_training_and_validation_have_means_of_their_own(
        make_runner, make_loader, log_lines, tmp_path, by_epoch, interval, expected):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    length, workflow = ({'max_epochs': 4}, [('train', 2), ('val', 1)]) if by_epoch else (
        {'max_iters': 9}, [('train', 3), ('val', 2)])
    runner = make_runner(by_epoch, model=TellsMode(), **length)
    runner.register_training_hooks({'policy': 'fixed'}, {}, None, {
        'interval': interval, 'hooks': [{'type': 'TensorboardLoggerHook', 'by_epoch': False},
                                        {'type': 'TextLoggerHook', 'by_epoch': False}]})
    runner.run([make_loader(length=4)] * 2, workflow)

    entries = json_lines(runner, tmp_path)[1:]
    assert [(e['mode'], e['iter'], e['loss']) for e in entries] == expected
    assert ['acc' in entry for entry in entries] == [mode == 'val' for mode, *_ in expected]
    shown = [line.split('loss: ')[1].split(',')[0] for line in log_lines
             if line.startswith('Iter')]
    assert shown == [f'{loss:.4f}' for *_, loss in expected]
    events = EventAccumulator(str(tmp_path / 'work' / 'tf_logs'))
    events.Reload()
    for mode in ('train', 'val'):
        assert [(mode, e.step, e.value) for e in events.Scalars(f'{mode}/loss')] == [
            entry for entry in expected if entry[0] == mode]
    assert 'train/acc' not in events.Tags()['scalars']


def test_time_of_validation_does_not_count_as_time_of_training(
        make_runner, make_loader, tmp_path, monkeypatch):
    """Iterations of training take 1 s here and those of validation 100 s."""
    now = [0.0]

    class Clock(Hook):
        def after_train_iter(self, runner):
            now[0] += 1

        def after_val_iter(self, runner):
            now[0] += 100

    monkeypatch.setattr('time.perf_counter', lambda: now[0])
    runner = make_runner(max_iters=4)
    runner.register_hook(Clock(), 'VERY_HIGH')
    runner.register_training_hooks({'policy': 'fixed'}, {}, None, {
        'interval': 2, 'hooks': [{'type': 'TextLoggerHook'}]})
    runner.run([make_loader()] * 2, [('train', 1), ('val', 1)])
    times = [(e['mode'], e['time']) for e in json_lines(runner, tmp_path)[1:]]
    assert times == [('val', 100), ('train', 1), ('val', 100)] * 2


@pytest.mark.parametrize('by_epoch', [False, True])
def test_the_log_says_where_it_starts(make_runner, make_loader, tmp_path, by_epoch):
    length = {'max_epochs': 2} if by_epoch else {'max_iters': 6}
    runner = make_runner(by_epoch, work_dir=tmp_path / 'work', **length)
    runner.register_logger_hooks(dict(interval=1, hooks=[dict(type='TextLoggerHook')]))
    runner._iter, runner.resumed_run = 1, 'former'
    runner.call_hook('before_run')
    assert json_lines(runner, tmp_path)[0]['start'] == dict(
        iter=1, epoch=0, resumed_run='former', by_epoch=by_epoch, length=2 if by_epoch else 6,
        epoch_length=None)  # a run of a user's runner may begin so, without its iterations


@pytest.mark.parametrize('by_epoch', [False, True])
def test_the_log_says_how_long_an_epoch_is(make_runner, make_loader, tmp_path, by_epoch):
    runner = make_runner(by_epoch, work_dir=tmp_path / 'work',
                         **({'max_epochs': 2} if by_epoch else {'max_iters': 6}))
    runner.register_logger_hooks(dict(interval=1, hooks=[dict(type='TextLoggerHook')]))
    loader = make_loader()
    runner.run([loader], [('train', 1)])
    start = json_lines(runner, tmp_path)[0]['start']
    assert start['epoch_length'] == (len(loader) if by_epoch else None)
