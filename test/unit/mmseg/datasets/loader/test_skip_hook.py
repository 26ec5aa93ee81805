"""What a run tells of skipped files: once each, in all processes, also after a resume."""
import logging
from types import SimpleNamespace

import pytest
import torch.distributed as dist

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.loader.skip_samples import KEY, SkippedFilesHook


@pytest.fixture
def loader():
    return SimpleNamespace(skipped={}, max_skipped=2)


@pytest.fixture
def runner():
    return SimpleNamespace(hook_msgs={}, world_size=1, iter=0, logger=logging.getLogger('skip'))


def test_each_file_is_logged_once(loader, runner, caplog):
    hook = SkippedFilesHook(loader)
    for iteration, skipped in enumerate([{}, {'a': 'a is cut off'}, {'a': 'again', 'b': 'b too'}]):
        runner.iter = iteration
        loader.skipped.update(skipped)
        hook.before_train_iter(runner)
        assert loader.skipped == {}

    assert [record.getMessage() for record in caplog.records] == [
        'data.on_error: skipped (file 1 of at most 2): a is cut off',
        'data.on_error: skipped (file 2 of at most 2): b too']
    assert runner.hook_msgs == {KEY: {'a': 'a is cut off', 'b': 'b too'}}


def test_the_end_of_the_run_tells_their_number(loader, runner, caplog):
    hook = SkippedFilesHook(loader)
    hook.after_run(runner)
    assert not caplog.records
    loader.skipped.update(a='cut off', b='too')
    hook.after_epoch(runner)
    hook.after_run(runner)
    assert caplog.records[-1].getMessage() == (
        'data.on_error: 2 files were skipped in this run:\n  a\n  b')


def test_beyond_the_cap_the_run_stops_and_lists_them(loader, runner):
    hook = SkippedFilesHook(loader)
    loader.skipped.update(a='a is cut off', b='b too')
    hook.before_train_iter(runner)
    loader.skipped.update(c='c as well')

    with pytest.raises(DataError, match=r'(?s)3 files could not be loaded; data\.on_error lets the '
                                        r'run skip 2.*a is cut off\n  b too\n  c as well'):
        hook.before_train_iter(runner)


def test_a_resumed_run_counts_on(loader, runner, caplog):
    runner.hook_msgs[KEY] = {'a': 'a is cut off', 'b': 'b too'}
    hook = SkippedFilesHook(loader)
    loader.skipped.update(a='a is cut off')
    hook.before_train_iter(runner)
    assert not caplog.records
    loader.skipped.update(c='c')
    with pytest.raises(DataError, match='3 files'):
        hook.before_train_iter(runner)


def test_processes_tell_each_other_now_and_then(loader, runner, caplog, monkeypatch):
    calls = []

    def gather(parts, mine):
        calls.append(runner.iter)
        parts[:] = [mine, {'a': 'of the other'}]

    monkeypatch.setattr(dist, 'all_gather_object', gather)
    runner.world_size = 2
    hook = SkippedFilesHook(loader, interval=3)
    for iteration in range(7):
        runner.iter = iteration
        loader.skipped['b'] = 'mine'
        hook.before_train_iter(runner)
    hook.after_epoch(runner)

    assert calls == [0, 3, 6, 6]
    assert [record.getMessage().split(': ')[-1] for record in caplog.records] == [
        'mine', 'of the other']
