import pytest

from mmcv_replace.runner import HOOKS, ClosureHook, Hook
from mmcv_replace.utils.errors import ConfigError


class Clock:
    epoch, iter, inner_iter = 3, 11, 2
    max_epochs, max_iters = 4, 12
    data_loader = range(3)
    stopped = None


@pytest.mark.parametrize(('method', 'done'), [('every_n_epochs', 4), ('every_n_iters', 12),
                                              ('every_n_inner_iters', 3)])
def test_every_n(method, done):
    due = [n for n in range(-1, 20) if getattr(Hook(), method)(Clock, n)]
    assert due == [n for n in range(1, 20) if done % n == 0]


def test_ends():
    hook = Hook()
    assert hook.end_of_epoch(Clock)
    assert hook.is_last_epoch(Clock)
    assert hook.is_last_iter(Clock)

    class Earlier(Clock):
        epoch, iter, inner_iter = 2, 10, 1

    assert not hook.end_of_epoch(Earlier)
    assert not hook.is_last_epoch(Earlier)
    assert not hook.is_last_iter(Earlier)

    class Stopped(Earlier):
        stopped = 'a reason'

    assert hook.is_last_epoch(Stopped)
    assert hook.is_last_iter(Stopped)


def test_general_stages_stand_for_both_modes():
    calls = []

    class General(Hook):
        def before_epoch(self, runner):
            calls.append('before_epoch')

        def after_epoch(self, runner):
            calls.append('after_epoch')

        def before_iter(self, runner):
            calls.append('before_iter')

        def after_iter(self, runner):
            calls.append('after_iter')

    hook = General()
    for stage in Hook.stages:
        getattr(hook, stage)(None)
    train = ['before_epoch', 'before_iter', 'after_iter', 'after_epoch']
    assert calls == train * 2
    assert hook.get_triggered_stages() == list(Hook.stages[1:-1])


def test_triggered_stages():
    class One(Hook):
        def after_val_iter(self, runner):
            pass

    assert One().get_triggered_stages() == ['after_val_iter']
    assert Hook().get_triggered_stages() == []


def test_closure():
    calls = []
    hook = HOOKS.build({'type': 'ClosureHook', 'fn_name': 'after_train_iter', 'fn': calls.append})
    hook.after_train_iter('the runner')
    hook.before_run('nothing')
    assert calls == ['the runner']
    assert hook.get_triggered_stages() == ['after_train_iter']
    with pytest.raises(ConfigError, match="'after_train_itr'; did you mean 'after_train_i"):
        ClosureHook('after_train_itr', print)
