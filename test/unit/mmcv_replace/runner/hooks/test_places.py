"""Files of hooks in other folders and in places of a file client."""
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader

from mmcv_replace.runner import EvalHook
from mmcv_replace.runner.hooks import CheckpointHook, TextLoggerHook, checkpoint, places
from mmcv_replace.utils.errors import ConfigError

BUCKET = 's3://bucket/runs'


@pytest.fixture
def store(monkeypatch):
    """What a file client has stored, by address."""
    files, asked = {}, []
    client = SimpleNamespace(
        put=lambda content, target: files.__setitem__(target, content),
        isfile=files.__contains__, remove=files.pop)

    def infer_client(file_client_args, uri):
        asked.append(file_client_args)
        return client

    monkeypatch.setattr(places, 'FileClient', SimpleNamespace(infer_client=infer_client))
    return SimpleNamespace(files=files, asked=asked)


@pytest.mark.parametrize('async_save', [True, False])
def test_checkpoints_in_a_store(make_runner, make_loader, store, tmp_path, async_save):
    runner = make_runner(max_iters=4)
    runner.register_hook(CheckpointHook(1, by_epoch=False, out_dir=BUCKET, max_keep_ckpts=2,
                                        async_save=async_save, file_client_args={'backend': 'x'}))
    runner.run([make_loader()], [('train', 1)])
    assert sorted(store.files) == [f'{BUCKET}/work/iter_{number}.pth' for number in (3, 4)]
    assert runner.hook_msgs['last_ckpt'] == f'{BUCKET}/work/iter_4.pth'
    assert list((tmp_path / 'work').iterdir()) == []
    assert {str(args) for args in store.asked} == {"{'backend': 'x'}"}
    (tmp_path / 'back.pth').write_bytes(store.files[f'{BUCKET}/work/iter_4.pth'])
    again = make_runner(max_iters=4)
    again.resume(tmp_path / 'back.pth')
    assert torch.equal(again.model.layer.weight, runner.model.layer.weight)


def test_a_runner_that_saves_by_itself_uploads_too(make_runner, make_loader, store):
    runner = make_runner(max_iters=2)
    save = runner.save_checkpoint
    runner.save_checkpoint = lambda *args, **kwargs: save(*args, **kwargs)
    runner.register_hook(CheckpointHook(1, by_epoch=False, out_dir=BUCKET, max_keep_ckpts=1))
    runner.run([make_loader()], [('train', 1)])
    assert list(store.files) == [f'{BUCKET}/work/iter_2.pth']


def test_a_store_needs_a_work_dir(make_model, make_loader, make_runner):
    runner = make_runner(work_dir=None)
    runner.register_hook(CheckpointHook(1, by_epoch=False, out_dir=BUCKET))
    with pytest.raises(ConfigError, match=f"out_dir='{BUCKET}': set work_dir too"):
        runner.run([make_loader()], [('train', 1)])


def test_the_best_checkpoint_in_a_store(make_runner, make_loader, store, tmp_path):
    scores = iter([1, 3, 2])
    hook = EvalHook(DataLoader([0]), by_epoch=False, test_fn=lambda model, loader: [],
                    save_best='acc', out_dir=BUCKET)
    hook.evaluate = lambda runner, results: next(scores)
    runner = make_runner(max_iters=3)
    runner.register_hook(hook)
    runner.run([make_loader()], [('train', 1)])
    assert list(store.files) == [f'{BUCKET}/work/best_acc_iter_2.pth']
    assert list((tmp_path / 'work').iterdir()) == []


@pytest.mark.parametrize('out_dir', [BUCKET, 'folder'])
@pytest.mark.parametrize('keep_local', [True, False])
def test_logs_elsewhere(make_runner, make_loader, store, tmp_path, out_dir, keep_local):
    out_dir = out_dir if '://' in out_dir else str(tmp_path / out_dir)
    runner = make_runner()
    runner.register_timer_hook({})
    runner.register_hook(TextLoggerHook(False, 1, out_dir=out_dir, out_suffix='.json',
                                        keep_local=keep_local), 'VERY_LOW')
    (tmp_path / 'work/other.txt').write_text('')
    runner.run([make_loader()], [('train', 1)])
    name = f'{runner.timestamp}.log.json'
    content = (store.files[f'{out_dir}/work/{name}'].decode() if '://' in out_dir
               else Path(out_dir, 'work', name).read_text())
    assert '"iter": 3' in content
    assert (tmp_path / 'work' / name).is_file() == keep_local
    assert (tmp_path / 'work/other.txt').is_file()


@pytest.mark.parametrize('kind', [CheckpointHook, TextLoggerHook])
def test_options_that_cannot_be(kind):
    with pytest.raises(ValueError, match='file_client_args={} are for out_dir, which is not given'):
        kind(file_client_args={})
    with pytest.raises(TypeError, match='out_dir is a path, not 3'):
        kind(out_dir=3)


def test_the_experiment_is_named(make_runner, make_loader, log_lines):
    runner = make_runner(max_iters=4, meta={'exp_name': 'mine'})
    runner.register_timer_hook({})
    runner.register_hook(TextLoggerHook(False, 1, interval_exp_name=2), 'VERY_LOW')
    runner.run([make_loader()], [('train', 1)])
    assert log_lines.count('Exp name: mine') == 2


@pytest.mark.parametrize('sync_buffer', [True, False])
def test_buffers_are_synchronized_before_a_checkpoint(make_runner, make_loader, monkeypatch,
                                                      tmp_path, sync_buffer):
    def allreduce_params(buffers):
        for buffer in buffers:
            buffer.fill_(7)

    monkeypatch.setattr(checkpoint, 'allreduce_params', allreduce_params)
    runner = make_runner(max_iters=1)
    runner.model.register_buffer('mean', torch.zeros(1))
    runner.register_checkpoint_hook(dict(interval=1, sync_buffer=sync_buffer))
    runner.run([make_loader()], [('train', 1)])
    saved = torch.load(tmp_path / 'work/iter_1.pth', weights_only=True)['state_dict']['mean']
    assert saved == 7 * sync_buffer
