"""The progress bar and the profiler in a run of a tiny model."""
import json

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcv_replace.runner import EpochBasedRunner, IterBasedRunner
from mmcv_replace.runner.hooks import Hook, ProfilerHook, ProgressBarHook
from mmcv_replace.utils.errors import ConfigError


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def train_step(self, data, optimizer):
        return dict(loss=self.layer(data).sum(), log_vars={}, num_samples=len(data))


class FailAt(Hook):
    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner):
        if runner.iter == self.iteration:
            raise RuntimeError('stop here')


def run(work_dir, *hooks, iters=6):
    runner = IterBasedRunner(Model(), work_dir=work_dir, max_iters=iters)
    for hook in hooks:
        runner.register_hook(hook)
    runner.run([DataLoader(torch.randn(4, 2))], [('train', 1)])


def trace_in(folder):
    trace, = folder.glob('*.pt.trace.json')
    return trace.read_text()


def test_the_bar_counts_every_iteration(tmp_path, capsys):
    run(tmp_path, ProgressBarHook())
    assert '6/6' in capsys.readouterr().err


def test_the_bar_is_closed_when_the_run_fails(tmp_path):
    hook = ProgressBarHook()
    with pytest.raises(RuntimeError, match='stop here'):
        run(tmp_path, hook, FailAt(2))
    assert hook._bar.n == 3
    assert hook._bar.disable  # what tqdm sets on close


def test_the_profile_covers_the_chosen_iterations(tmp_path):
    run(tmp_path, ProfilerHook(skip=2, active=3))
    events = json.loads(trace_in(tmp_path / 'prof'))['traceEvents']
    assert sum(event.get('name') == 'aten::linear' for event in events) == 3
    assert 'aten::' in (tmp_path / 'prof/table.txt').read_text()


def test_shapes_are_recorded_on_demand_and_the_folder_can_be_chosen(tmp_path):
    for name, options in (('with', dict(record_shapes=True)), ('without', {})):
        run(tmp_path, ProfilerHook(skip=0, active=1, out_dir=str(tmp_path / name), **options))
    assert 'Input Dims' in trace_in(tmp_path / 'with')
    assert 'Input Dims' not in trace_in(tmp_path / 'without')


def test_stacks_are_recorded_on_demand(tmp_path):
    run(tmp_path, ProfilerHook(skip=0, active=1, with_stack=True))
    assert 'test_progress_and_profile.py' in trace_in(tmp_path / 'prof')


def test_a_run_that_ends_early_still_has_its_profile(tmp_path):
    run(tmp_path, ProfilerHook(skip=1, active=50), iters=3)
    assert 'traceEvents' in trace_in(tmp_path / 'prof')


@pytest.mark.parametrize('options', [dict(skip=-1), dict(active=0)])
def test_windows_that_cannot_be(options):
    with pytest.raises(ConfigError, match='skip must not be negative and active at least 1'):
        ProfilerHook(**options)


def linears(path):
    events = json.loads(path.read_text())['traceEvents']
    return sum(event.get('name') == 'aten::linear' for event in events)


def test_the_first_iterations_on_demand(tmp_path):
    run(tmp_path, ProfilerHook(by_epoch=False, profile_iters=2,
                               json_trace_path=str(tmp_path / 'trace.json')))
    assert linears(tmp_path / 'trace.json') == 2
    assert not (tmp_path / 'prof').exists()


def test_a_schedule_and_a_handler(tmp_path):
    seen = []
    run(tmp_path, ProfilerHook(
        by_epoch=False, profile_iters=5, schedule=dict(wait=1, warmup=1, active=2, repeat=1),
        on_trace_ready=lambda trace: seen.append(
            {row.key: row.count for row in trace.key_averages()}['aten::linear'])))
    assert seen == [2]


@pytest.mark.parametrize('kind', ['log_trace', 'tb_trace'])
def test_handlers_by_name(tmp_path, caplog, kind):
    options = dict(row_limit=5) if kind == 'log_trace' else dict(dir_name=str(tmp_path / 'traces'))
    caplog.set_level('INFO', 'mmseg')
    run(tmp_path, ProfilerHook(on_trace_ready=dict(type=kind, **options), skip=0, active=1))
    if kind == 'log_trace':
        assert 'aten::linear' in caplog.text
    else:
        assert 'aten::linear' in trace_in(tmp_path / 'traces')
    assert not (tmp_path / 'prof').exists()


def test_an_epoch(tmp_path):
    runner = EpochBasedRunner(Model(), work_dir=tmp_path, max_epochs=3)
    path = tmp_path / 'trace.json'
    runner.register_hook(ProfilerHook(profile_iters=2, json_trace_path=str(path)))
    runner.run([DataLoader(torch.randn(2, 2))], [('train', 1)])
    assert linears(path) == 4


@pytest.mark.parametrize(('options', 'message'), [
    (dict(by_epoch=3), 'by_epoch=3 is True or False'),
    (dict(profile_iters=0), 'profile_iters=0 is at least 1'),
    (dict(activities='cpu'), "activities='cpu' is a list of names of devices"),
    (dict(schedule=3), 'schedule=3 is a dict or a function'),
    (dict(on_trace_ready=3), 'on_trace_ready=3 is a dict or a function'),
    (dict(on_trace_ready=dict(type='tb_trac')), "'tb_trac' is one of .*; did you mean 'tb_trace'")])
def test_options_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        ProfilerHook(**options)


def test_more_than_the_run_has(tmp_path):
    with pytest.raises(ConfigError, match='profile_iters=9, and the run has 6 iterations'):
        run(tmp_path, ProfilerHook(by_epoch=False, profile_iters=9))
