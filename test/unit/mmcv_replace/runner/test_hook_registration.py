"""How the sections of a config become hooks of a runner."""
import pytest

from mmcv_replace.runner import HOOKS, Hook
from mmcv_replace.runner.hooks import IterTimerHook, ProfilerHook
from mmcv_replace.runner.hooks.invalid_loss import CheckInvalidLossHook
from mmcv_replace.utils.config.config_dict import ConfigDict, assign
from mmcv_replace.utils.errors import ArgumentError, ConfigError


def test_training_hooks_are_registered_in_order(make_runner):
    runner = make_runner()
    runner.register_training_hooks(
        {'policy': 'poly'}, {}, {'interval': 1}, {'interval': 7, 'hooks': [
            {'type': 'TextLoggerHook'}]}, {'policy': 'cyclic'})
    assert [(type(hook).__name__, hook.priority) for hook in runner.hooks] == [
        ('PolyLrUpdaterHook', 10), ('CyclicMomentumUpdaterHook', 30),
        ('OptimizerHook', 40), ('CheckInvalidLossHook', 40), ('CheckpointHook', 50),
        ('IterTimerHook', 70), ('TextLoggerHook', 90)]
    assert [getattr(hook, 'by_epoch', None) for hook in runner.hooks] == [
        False, False, None, None, False, None, False]
    assert (runner.hooks[3].interval, runner.hooks[6].interval) == (7, 7)


def test_epoch_runner_counts_epochs(make_runner):
    runner = make_runner(by_epoch=True)
    runner.register_training_hooks({'policy': 'poly'}, {}, {'interval': 1}, {
        'interval': 7, 'hooks': [{'type': 'TextLoggerHook', 'interval': 2}]})
    assert [hook.by_epoch for hook in runner.hooks if hasattr(hook, 'by_epoch')] == [True] * 3
    assert runner.hooks[-1].interval == 2


def test_configs_stay_as_they_are(make_runner):
    configs = {'lr_config': {'policy': 'step', 'step': 1}, 'optimizer_config': {},
               'checkpoint_config': {}, 'log_config': {'interval': 1, 'hooks': [
                   {'type': 'TextLoggerHook'}]}}
    make_runner().register_training_hooks(**configs)
    assert configs == {'lr_config': {'policy': 'step', 'step': 1}, 'optimizer_config': {},
                       'checkpoint_config': {}, 'log_config': {'interval': 1, 'hooks': [
                           {'type': 'TextLoggerHook'}]}}


def test_instances_and_none_are_accepted(make_runner):
    hooks = [HOOKS.get(name)(**args) for name, args in [
        ('FixedLrUpdaterHook', {}), ('OptimizerHook', {}), ('CheckpointHook', {'interval': 1}),
        ('TextLoggerHook', {})]]
    runner = make_runner()
    runner.register_training_hooks(*hooks[:3], {'hooks': [hooks[3]]})
    assert all(hook in runner.hooks for hook in hooks)
    bare = make_runner()
    bare.register_training_hooks(None)
    assert [type(hook).__name__ for hook in bare.hooks] == ['CheckInvalidLossHook', 'IterTimerHook']


@pytest.mark.parametrize('policy', ['cosineannealing', 'CosineAnnealing', 'cosine_annealing'])
def test_policy_names(make_runner, policy):
    runner = make_runner()
    runner.register_lr_hook({'policy': policy, 'min_lr': 0})
    assert type(runner.hooks[0]).__name__ == 'CosineAnnealingLrUpdaterHook'


@pytest.mark.parametrize(('config', 'message'), [
    ({'lr_config': {'power': 1}}, 'lr_config needs the name of a policy'),
    ({'lr_config': {'policy': 'polly'}}, 'PolyLrUpdaterHook'),
    ({'lr_config': {'policy': 'poly', 'powr': 1}}, "'powr'.*'power'"),
    ({'lr_config': None, 'optimizer_config': 3}, 'optimizer_config is a dict, a hook or None'),
    ({'lr_config': None, 'log_config': {'hooks': ['TextLoggerHook']}}, r'log_config\.hooks\.0'),
])
def test_registration_errors(make_runner, config, message):
    with pytest.raises((ConfigError, KeyError, TypeError), match=message):
        make_runner().register_training_hooks(**config)


@pytest.mark.parametrize('section', ['lr_config', 'optimizer_config', 'nonfinite'])
def test_errors_name_the_place_that_set_an_option(make_runner, section):
    configs = ConfigDict(lr_config={'policy': 'poly'}, optimizer_config={}, nonfinite={})
    assign(configs[section], 'optin', 1, 'configs/mine.py')
    with pytest.raises(ArgumentError, match=r"'optin' \(set by configs/mine\.py\)"):
        make_runner().register_training_hooks(**configs)


def test_hook_from_cfg_with_priority(make_runner):
    runner = make_runner()
    runner.register_hook_from_cfg({'type': 'CheckInvalidLossHook', 'priority': 'LOWEST'})
    assert runner.hooks[0].priority == 100
    with pytest.raises(ConfigError, match='is not a hook'):
        runner.register_hook(CheckInvalidLossHook)


def test_hook_info_lists_who_acts_when(make_runner):
    runner = make_runner()
    runner.register_training_hooks({'policy': 'poly'}, {})
    info = dict(line.split(': ') for line in runner.get_hook_info().split('\n'))
    assert info['before_train_iter'] == (
        'PolyLrUpdaterHook (10), OptimizerHook (40), CheckInvalidLossHook (40), '
        'IterTimerHook (70)')
    assert 'after_val_epoch' not in info


class Named(Hook):
    def __init__(self, info):
        self.info = info


def test_custom_hooks(make_runner):
    runner = make_runner()
    runner.register_custom_hooks(None)
    assert runner.hooks == []
    runner.register_custom_hooks([dict(type=Named, priority=51, info=51),
                                  dict(type=Named, priority='HIGH', info=30)])
    runner.register_custom_hooks(Named('object'))
    runner.register_custom_hooks(dict(type=Named, info='dict'))
    assert [hook.info for hook in runner.hooks] == [30, 'object', 'dict', 51]
    with pytest.raises(AssertionError, match='custom_hooks is a dict, a hook or None, not 3'):
        runner.register_custom_hooks([3])


def test_order_of_all_training_hooks(make_runner):
    runner = make_runner(by_epoch=True)
    runner.register_training_hooks(
        Named('lr'), Named('optimizer'), Named('checkpoint'),
        dict(interval=1, hooks=[Named('log')]), Named('momentum'), Named('timer'),
        [dict(type=Named, priority=1, info=1), dict(type=Named, priority='NORMAL', info='custom'),
         dict(type=Named, priority=89, info=89)], nonfinite=Named('nonfinite'))
    assert [hook.info for hook in runner.hooks] == [
        1, 'lr', 'momentum', 'optimizer', 'nonfinite', 'checkpoint', 'custom', 'timer', 89, 'log']


def test_timer_and_profiler(make_runner):
    runner = make_runner()
    runner.register_timer_hook(None)
    runner.register_profiler_hook(None)
    assert runner.hooks == []
    runner.register_timer_hook({})
    runner.register_timer_hook(IterTimerHook())
    runner.register_profiler_hook(dict(profile_iters=3))
    assert [(type(hook), hook.priority) for hook in runner.hooks] == [
        (ProfilerHook, 50), (IterTimerHook, 70), (IterTimerHook, 70)]
    assert not runner.hooks[0].by_epoch  # as the runner counts
    assert runner.hooks[0].profile_iters == 3
