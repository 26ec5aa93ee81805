"""Hooks of a few lines."""
import pytest

from mmcv_replace.runner.hooks import EmptyCacheHook, SyncBuffersHook, memory, sync_buffer


@pytest.mark.parametrize(('options', 'times'), [
    ({}, 2), (dict(after_epoch=False), 0), (dict(before_epoch=True), 4),
    (dict(after_epoch=False, after_iter=True), 8)])
def test_empty_cache(make_runner, make_loader, monkeypatch, options, times):
    freed = []
    monkeypatch.setattr(memory, 'empty_cache', freed.append)
    runner = make_runner(by_epoch=True, max_epochs=2)
    runner.register_hook(EmptyCacheHook(**options))
    runner.run([make_loader()], [('train', 1)])
    assert freed == [runner.device] * times


@pytest.mark.parametrize('distributed', [True, False])
def test_sync_buffers(make_runner, make_loader, monkeypatch, distributed):
    sent = []
    monkeypatch.setattr(sync_buffer, 'allreduce_params', lambda buffers: sent.append([*buffers]))
    runner = make_runner(by_epoch=True, max_epochs=2)
    runner.model.register_buffer('mean', runner.model.layer.weight.detach())
    runner.register_hook(SyncBuffersHook(distributed))
    runner.run([make_loader()], [('train', 1)])
    assert sent == [[runner.model.mean]] * 2 * distributed
