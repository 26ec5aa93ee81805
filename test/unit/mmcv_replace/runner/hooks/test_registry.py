"""Every registered hook in both runners: what it does to the weights, a resume, its options."""
import inspect
import pickle

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from mmcv_replace.runner import HOOKS, Hook, LrUpdaterHook, MomentumUpdaterHook, OptimizerHook
from mmcv_replace.runner.hooks.logger.service import ServiceLoggerHook
from mmcv_replace.runner.priority import get_priority
from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.checks.type_check import annotations_of, constructors
from mmcv_replace.utils.errors import ArgumentError

from .policy_cases import BY_ITER


def note_nothing(runner):
    pass


WARM = dict(warmup='linear', warmup_iters=3, warmup_ratio=0.2)
RF_SEARCH = dict(step=0, max_step=12, search_interval=1, exp_rate=0.5, init_alphas=0.01, mmin=1,
                 mmax=24, num_branches=2, skip_layer=[])
# Two sets of options a hook, or one where it has none; 8 iterations, in 2 epochs.
OPTIONS = {
    'CheckInvalidLossHook': ({}, dict(action='skip', check='step', interval=2, save=0)),
    'CheckpointHook': (dict(interval=1, max_keep_ckpts=2), dict(interval=3, async_save=False,
                                                                 create_symlink=False)),
    'ClosureHook': (dict(fn_name='after_train_iter', fn=note_nothing),
                    dict(fn_name='before_run', fn=note_nothing)),
    'DistSamplerSeedHook': ({},),
    'EmptyCacheHook': ({}, dict(before_epoch=True, after_epoch=False, after_iter=True)),
    'EMAHook': (dict(momentum=0.3, interval=2), dict(warm_up=3, begin_iter=2, momentum=0.01)),
    'Fp16OptimizerHook': ({}, dict(grad_clip=dict(max_norm=0.1))),
    'GradientCumulativeFp16OptimizerHook': (dict(cumulative_iters=3), dict(cumulative_iters=2)),
    'GradientCumulativeOptimizerHook': (dict(cumulative_iters=3), dict(cumulative_iters=2)),
    'IterTimerHook': ({},),
    'NondeterminismHook': ({}, dict(interval=2)),
    'OptimizerHook': ({}, dict(grad_clip=dict(max_norm=0.1)),
                      dict(cumulative_iters=2, grad_clip=dict(max_norm=0.1))),
    'PreemptionHook': ({}, dict(signals=['SIGUSR1'], exit_code=3)),
    'ProfilerHook': (dict(skip=1, active=1), dict(skip=2, active=2, record_shapes=True)),
    'ProgressBarHook': ({},),
    'RFSearchHook': (dict(config=dict(search=RF_SEARCH)), dict(
        mode='fixed_single_branch', config=dict(search=RF_SEARCH), by_epoch=False, verbose=False)),
    'RankWatchHook': ({},),
    'TensorboardLoggerHook': (dict(interval=2), dict(interval=3, ignore_last=False)),
    'TextLoggerHook': (dict(interval=2), dict(interval=3, ignore_last=False)),
    **{f'{name}LoggerHook': (dict(interval=2), dict(interval=3, ignore_last=False))
       for name in ('ClearML', 'Dvclive', 'Mlflow', 'Neptune', 'Pavi', 'Segmind', 'Swanlab',
                    'Wandb')},
    'SyncBuffersHook': (dict(distributed=False), dict(distributed=False)),
    'FixedLrUpdaterHook': ({}, WARM),
    'StepLrUpdaterHook': (dict(step=1), dict(step=[1, 5], gamma=0.5, min_lr=0.01, **WARM)),
    'ExpLrUpdaterHook': (dict(gamma=0.9), dict(gamma=0.5, **WARM)),
    'PolyLrUpdaterHook': ({}, dict(power=0.9, min_lr=0.01, **WARM)),
    'InvLrUpdaterHook': (dict(gamma=0.1), dict(gamma=0.5, power=2.0, **WARM)),
    'CosineAnnealingLrUpdaterHook': (dict(min_lr=0.01), dict(min_lr_ratio=0.1, **WARM)),
    'LinearAnnealingLrUpdaterHook': (dict(min_lr=0.01), dict(min_lr_ratio=0.1, **WARM)),
    'FlatCosineAnnealingLrUpdaterHook': (dict(min_lr=0.01, start_percent=0.25),
                                         dict(min_lr_ratio=0.1, **WARM)),
    'CosineRestartLrUpdaterHook': (dict(periods=[8], min_lr=0.01), dict(
        periods=[1, 7], restart_weights=[1, 0.5], min_lr_ratio=0.1)),
    'CyclicLrUpdaterHook': (dict(target_ratio=2), dict(
        target_ratio=(2, 0.1), cyclic_times=2, step_ratio_up=0.5)),
    'OneCycleLrUpdaterHook': (dict(max_lr=0.2), dict(
        max_lr=[0.2], total_steps=9, pct_start=0.5, anneal_strategy='linear', three_phase=True)),
    'StepMomentumUpdaterHook': (dict(step=1), dict(step=[1, 5], gamma=0.9, min_momentum=0.3)),
    'CosineAnnealingMomentumUpdaterHook': (dict(min_momentum=0.1), dict(min_momentum_ratio=0.1)),
    'LinearAnnealingMomentumUpdaterHook': (dict(min_momentum=0.1), dict(min_momentum_ratio=0.1)),
    'CyclicMomentumUpdaterHook': ({}, dict(target_ratio=(0.5, 0.9), cyclic_times=2)),
    'OneCycleMomentumUpdaterHook': ({}, dict(
        base_momentum=0.2, max_momentum=0.6, pct_start=0.5, anneal_strategy='linear')),
}
for policy, (options, _) in BY_ITER.items():
    OPTIONS.setdefault(f'{policy}LrUpdaterHook', (options, {**options, **WARM}))
PRIORITIES = {  # as CONTRIBUTING.md gives them
    'LrUpdaterHook': 10, 'MomentumUpdaterHook': 30, 'OptimizerHook': 40,
    'CheckInvalidLossHook': 40, 'EMAHook': 40, 'CheckpointHook': 50, 'LoggerHook': 90,
    'PreemptionHook': 100,
}
CASES = [pytest.param(name, options, id=f'{name}-{index}')
         for name, sets in OPTIONS.items() for index, options in enumerate(sets)]


pytestmark = pytest.mark.usefixtures('packages_of_loggers')


class Watch(Hook):
    """What the optimizer steps with, and a checkpoint of the middle of the run."""

    def __init__(self, folder):
        self.folder, self.steps = folder, []

    def after_train_iter(self, runner):
        self.steps.append((runner.current_lr()[0], runner.current_momentum()[0]))
        if runner.finished_iters == 4 and not runner.counts_by_epoch:
            runner.save_checkpoint(self.folder, 'half.pth', create_symlink=False)

    def after_train_epoch(self, runner):
        if runner.next_epoch == 1:
            runner.save_checkpoint(self.folder, 'half.pth', create_symlink=False)


def register(runner, name, options):
    options, kind = {'type': name, **options}, HOOKS.get(name)
    if not issubclass(kind, OptimizerHook):
        runner.register_optimizer_hook({})
    if issubclass(kind, LrUpdaterHook):
        runner.register_lr_hook(options)
    elif issubclass(kind, MomentumUpdaterHook):
        runner.register_momentum_hook(options)
    elif issubclass(kind, OptimizerHook):
        runner.register_optimizer_hook(options)
    elif name == 'CheckpointHook':
        runner.register_checkpoint_hook(options)
    elif name.endswith('LoggerHook'):
        runner.register_hook_from_cfg({'type': 'IterTimerHook', 'priority': 'LOW'})
        runner.register_logger_hooks({'hooks': [options]})
    else:
        runner.register_hook_from_cfg(options)


@pytest.fixture
def run(make_runner, make_loader, tmp_path):
    """A whole run, or the second half of one; and what its hooks saw."""
    def start(name, options, by_epoch, resume=None):
        if name == 'TensorboardLoggerHook':
            pytest.importorskip('tensorboard')
        folder = tmp_path / ('whole' if resume is None else 'resumed')
        runner = make_runner(by_epoch, momentum=0.5, work_dir=folder,
                             **{'max_epochs' if by_epoch else 'max_iters': 2 if by_epoch else 8})
        register(runner, name, options)
        watch = Watch(tmp_path / 'saved')
        runner.register_hook(watch, 'VERY_LOW')
        if resume is not None:
            runner.resume(tmp_path / 'saved' / resume)
        runner.run([make_loader()], [('train', 1)])
        return runner, watch.steps
    return start


def plain_training(model, loader, steps, grad_clip=None, cumulative_iters=1):
    """The same training as a loop, with the (lr, momentum) of each iteration."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1, momentum=0.5)
    batches = [*loader, *loader]
    for index, (batch, (lr, momentum)) in enumerate(zip(batches, steps, strict=True)):
        first = index - index % cumulative_iters
        size = min(cumulative_iters, len(batches) - first)
        if index == first:
            optimizer.zero_grad()
        (model.train_step(batch, None)['loss'] / size).backward()
        if index == first + size - 1:
            if grad_clip is not None:
                clip_grad_norm_(model.parameters(), **grad_clip)
            optimizer.param_groups[0].update(lr=lr, momentum=momentum)
            optimizer.step()
    return model.state_dict()


@pytest.mark.parametrize('by_epoch', [False, True])
@pytest.mark.parametrize(('name', 'options'), CASES)
def test_weights_and_a_resume(run, make_model, make_loader, name, options, by_epoch):
    runner, steps = run(name, options, by_epoch)
    stepping = options if issubclass(HOOKS.get(name), OptimizerHook) else {}
    expected = plain_training(make_model(), make_loader(), steps, **stepping)
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, expected[key])
    if HOOKS.get(name).scheduled is None:
        assert steps == [(0.1, 0.5)] * 8
    elif name != 'FixedLrUpdaterHook':
        assert len(set(steps)) > 1

    again, later = run(name, options, by_epoch, resume='half.pth')
    assert later == steps[4:]
    ours, theirs = again.build_checkpoint(), runner.build_checkpoint()
    assert ours.keys() == theirs.keys()
    assert (ours['meta']['iter'], ours['meta']['epoch']) == (
        theirs['meta']['iter'], theirs['meta']['epoch'])
    for part in ours.keys() - {'meta', 'run_state'}:
        torch.testing.assert_close(ours[part], theirs[part], rtol=0, atol=0)


def test_every_hook_is_tested():
    own = {name for name in HOOKS if HOOKS.get(name).__module__.startswith('mmcv_replace.')}
    missing = own - OPTIONS.keys()
    assert not missing, f'add options of {missing} to OPTIONS in {__file__}'
    for name, sets in OPTIONS.items():
        takes = inspect.signature(HOOKS.get(name)).parameters
        assert len(sets) > 1 or not takes, f'add a second set of options of {name} to OPTIONS'


@pytest.mark.parametrize(('name', 'options'), CASES)
def test_a_hook_survives_a_pickle(name, options):
    hook = build_from_cfg({'type': name, **options}, HOOKS)
    if isinstance(hook, ServiceLoggerHook):
        return  # it holds a module
    again = pickle.loads(pickle.dumps(hook))
    assert type(again) is type(hook)
    assert hook.get_triggered_stages(), f'{name} has no method with the name of a stage of Hook'
    assert again.get_triggered_stages() == hook.get_triggered_stages()
    plain = {key: value for key, value in vars(hook).items() if key in options}
    assert {key: vars(again)[key] for key in plain} == plain


@pytest.mark.parametrize('name', sorted(OPTIONS.keys() - {'DvcliveLoggerHook'}))  # takes any option
def test_options_are_annotated_and_a_misspelt_one_is_named(name):
    known = annotations_of(HOOKS.get(name))
    options = {key for maker in constructors(HOOKS.get(name))
               for key, parameter in list(inspect.signature(maker).parameters.items())[1:]
               if parameter.kind is not inspect.Parameter.VAR_KEYWORD}
    assert options <= known.keys()
    for option in sorted(options):
        wrong = {'type': name, **OPTIONS[name][0], f'{option}_': 1}
        with pytest.raises(ArgumentError) as caught:
            build_from_cfg(wrong, HOOKS)
        assert f"'{option}_'" in str(caught.value)
        assert f"did you mean '{option}'" in str(caught.value)


@pytest.mark.parametrize('name', OPTIONS)
def test_priorities(name, make_runner):
    runner = make_runner()
    register(runner, name, OPTIONS[name][0])
    kind = HOOKS.get(name)
    hook = next(hook for hook in runner.hooks if type(hook) is kind)
    documented = [PRIORITIES[base.__name__] for base in kind.__mro__ if base.__name__ in PRIORITIES]
    assert hook.priority == next(iter(documented), get_priority(kind.default_priority))
