"""Checkpoints that are written in the background: the copy, the order, the failures."""
import contextlib
import errno
import io
import logging
import threading

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner import Hook
from mmcv_replace.runner.checkpoint import read_checkpoint
from mmcv_replace.runner.checkpoints import files as checkpoint_io
from mmcv_replace.runner.checkpoints import saver as async_saver
from mmcv_replace.runner.checkpoints.saver import CheckpointSaver, HostCopy
from mmcv_replace.utils.errors import CheckpointError, ConfigError


def small(value, **more):
    return {'meta': {'iter': value}, 'state_dict': {'w': torch.full((3, 2), float(value))}, **more}


# The copy

def test_later_changes_leave_the_copy_alone():
    model = nn.Linear(2, 2)
    checkpoint = {'meta': {'list': [1]}, 'state_dict': model.state_dict()}
    before = model.weight.detach().clone()
    taken = HostCopy().take(checkpoint)
    model.weight.data.zero_()
    checkpoint['meta']['list'].append(2)
    assert torch.equal(taken['state_dict']['weight'], before)
    assert taken['meta']['list'] == [1]
    assert taken['state_dict']._metadata == model.state_dict()._metadata


def test_memory_is_used_again_where_it_fits():
    copies = HostCopy()
    first = copies.take({'a': torch.zeros(4), 'b': torch.zeros(2, 3)})
    again = copies.take({'a': torch.ones(4), 'b': torch.ones(3, 2)})
    assert again['a'].data_ptr() == first['a'].data_ptr()
    assert (again['a'].tolist(), again['b'].shape) == ([1] * 4, (3, 2))


def test_layout_and_shared_memory_are_kept():
    image = torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    tied = torch.rand(7)
    taken = HostCopy().take({'image': image, 'a': tied, 'b': tied, 'part': tied[2:4],
                             'empty': torch.zeros(0)})
    assert taken['image'].stride() == image.stride()
    assert torch.equal(taken['image'], image)
    assert taken['a'] is taken['b']
    # torch.save writes the whole memory of a tensor, even when it is a small part of it.
    assert taken['part'].untyped_storage().nbytes() == 8
    assert torch.equal(taken['part'], tied[2:4])


# The saver

@pytest.fixture
def saver():
    saver = CheckpointSaver(logging.getLogger('mmseg.saver'))
    saver.configure(True, True, 'continue')
    yield saver
    saver.close()


@pytest.fixture
def gate(monkeypatch):
    """Lets no write begin before it is opened."""
    gate = threading.Event()
    write = async_saver.write_serialized
    monkeypatch.setattr(async_saver, 'write_serialized',
                        lambda *args: (gate.wait(120), write(*args)))
    yield gate
    gate.set()


def disk_full(*_):
    raise CheckpointError('cannot write: the disk is full')


def test_the_training_goes_on_while_a_file_is_written(saver, gate, tmp_path):
    checkpoint = small(1)
    saver.save(checkpoint, tmp_path / 'a.pth', 'regular')
    checkpoint['state_dict']['w'].zero_()
    saver.poll()
    assert list(tmp_path.iterdir()) == []
    gate.set()
    saver.wait()
    assert read_checkpoint(tmp_path / 'a.pth')['state_dict']['w'].tolist() == [[1, 1]] * 3


def test_a_second_write_waits_for_the_first(saver, gate, tmp_path):
    order = []
    saver.save(small(1), tmp_path / 'a.pth', 'regular', lambda: order.append('first'))
    threading.Timer(0.2, gate.set).start()
    saver.save(small(2), tmp_path / 'b.pth', 'regular', lambda: order.append('second'))
    assert order[:1] == ['first']
    saver.wait()
    assert order == ['first', 'second']
    assert read_checkpoint(tmp_path / 'a.pth')['meta']['iter'] == 1
    assert read_checkpoint(tmp_path / 'b.pth')['meta']['iter'] == 2


@pytest.mark.parametrize('asynchronous', [False, True])
def test_a_failure_is_reported_and_the_next_one_tries_again(saver, tmp_path, monkeypatch, log_lines,
                                                            asynchronous):
    saver.configure(asynchronous, True, 'continue')
    told = []
    with monkeypatch.context() as patch:
        patch.setattr(async_saver, 'write_serialized', disk_full)
        saver.save(small(1), tmp_path / 'iter_1.pth', 'regular',
                   lambda: told.append('after'), told.append)
        saver.wait()
        assert told == [False]
        assert any('the disk is full' in line for line in log_lines)
        with pytest.raises(CheckpointError, match='the disk is full'):
            saver.finish()
    saver.save(small(2), tmp_path / 'iter_2.pth', 'regular',
               lambda: told.append('after'), told.append)
    saver.finish()
    assert told == [False, 'after', True]


@pytest.mark.parametrize('asynchronous', [False, True])
def test_the_rule_stop_raises(saver, tmp_path, monkeypatch, asynchronous):
    saver.configure(asynchronous, True, 'stop')
    monkeypatch.setattr(async_saver, 'write_serialized', disk_full)
    saver.save(small(1), tmp_path / 'a.pth', 'regular')
    with pytest.raises(CheckpointError, match='the disk is full'):
        saver.wait()


@pytest.mark.parametrize('kind', ['regular', 'best'])
def test_only_a_later_one_of_its_kind_makes_up_for_a_lost_one(saver, tmp_path, monkeypatch, kind):
    with monkeypatch.context() as patch:
        patch.setattr(async_saver, 'write_serialized', disk_full)
        saver.save({}, tmp_path / 'lost.pth', 'regular')
        saver.wait()
    saver.save({}, tmp_path / 'next.pth', kind)
    if kind == 'regular':
        saver.finish()
    else:
        with pytest.raises(CheckpointError, match='the disk is full'):
            saver.finish()


@pytest.mark.parametrize('kind', ['regular', 'other'])
def test_one_that_is_written_at_once_makes_up_for_a_lost_one_too(saver, tmp_path, monkeypatch,
                                                                 kind):
    with monkeypatch.context() as patch:
        patch.setattr(async_saver, 'write_serialized', disk_full)
        saver.save({}, tmp_path / 'lost.pth', 'regular')
        saver.wait()
    saver.save_now({}, tmp_path / 'next.pth', kind)
    assert list(saver._failures) == ([] if kind == 'regular' else ['regular'])
    saver._failures.clear()


def test_one_that_is_written_at_once_raises_by_either_rule(saver, tmp_path, monkeypatch):
    monkeypatch.setattr(async_saver, 'write_serialized', disk_full)
    with pytest.raises(CheckpointError, match='the disk is full'):
        saver.save_now({}, tmp_path / 'a.pth', 'regular')


def test_a_failure_after_the_file_is_told_apart(saver, tmp_path, log_lines):
    def refuse():
        raise PermissionError(errno.EACCES, 'no links here')

    saver.save(small(1), tmp_path / 'a.pth', 'regular', refuse)
    saver.wait()
    assert any('is written, but not all that follows' in line for line in log_lines)


def test_an_unknown_rule():
    with pytest.raises(ConfigError, match="on_error='ignore': choose 'continue' or 'stop'"):
        CheckpointSaver(logging.getLogger('mmseg')).configure(True, True, 'ignore')


# What is read again

def test_a_file_that_is_not_what_was_written_is_refused(tmp_path, monkeypatch):
    """A disk that loses a bit: only reading again can tell."""
    def save(content, file):
        original(content, file)
        file.seek(200)
        file.write(b'\x01')

    original = torch.save
    monkeypatch.setattr(torch, 'save', save)
    checkpoint = {'state_dict': {'w': torch.zeros(1000)}}
    with pytest.raises(CheckpointError, match=r'a\.pth: read again, it differs'):
        checkpoint_io.write_checkpoint(checkpoint, tmp_path / 'a.pth')
    assert list(tmp_path.iterdir()) == []
    checkpoint_io.write_checkpoint(checkpoint, tmp_path / 'a.pth', verify=False)
    assert (tmp_path / 'a.pth').is_file()


def test_whatever_is_wrong_with_a_file_it_is_refused(tmp_path, monkeypatch):
    """Damaged headers raise errors of many kinds: none of them may reach the run."""
    buffer = io.BytesIO()
    torch.save({'state_dict': {}}, buffer)
    rng, check, kinds = np.random.default_rng(0), checkpoint_io._check_sums, set()

    def save(content, file):
        damaged = np.frombuffer(buffer.getvalue(), np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 3)] ^= 1 << 5
        file.write(damaged.tobytes())

    def note(path):
        try:
            check(path)
        except Exception as error:
            kinds.add(type(error))
            raise

    monkeypatch.setattr(torch, 'save', save)
    monkeypatch.setattr(checkpoint_io, '_check_sums', note)
    for _ in range(200):
        with contextlib.suppress(CheckpointError):  # what is damaged may not matter
            checkpoint_io.write_checkpoint({}, tmp_path / 'a.pth')
    assert len(kinds) > 1


def test_a_file_that_is_cut_short_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, 'save', lambda content, file: file.write(b'PK half'))
    with pytest.raises(CheckpointError, match='its end is missing'):
        checkpoint_io.write_checkpoint(small(1), tmp_path / 'a.pth')


# In a run

class Watch(Hook):
    """What the folder holds after each iteration."""

    def __init__(self, folder, fail_at=None):
        self.folder, self.fail_at, self.seen = folder, fail_at, []

    def after_train_iter(self, runner):
        self.seen.append(sorted(path.name for path in self.folder.glob('*.pth')))
        if runner.finished_iters == self.fail_at:
            raise KeyboardInterrupt


@pytest.fixture
def run(make_runner, make_loader, tmp_path):
    def start(hook=None, length=4, **config):
        runner = make_runner(max_iters=length)
        runner.register_optimizer_hook({})
        runner.register_checkpoint_hook({'interval': 1, **config})
        if hook is not None:
            runner.register_hook(hook, 'LOW')
        runner.run([make_loader()], [('train', 1)])
        return runner
    return start


def test_files_are_complete_when_a_run_ends_or_fails(run, gate, tmp_path):
    folder = tmp_path / 'work'
    watch = Watch(folder, fail_at=1)
    threading.Timer(0.3, gate.set).start()
    with pytest.raises(KeyboardInterrupt):
        run(watch)
    assert watch.seen == [[]]
    assert read_checkpoint(folder / 'latest.pth')['meta']['iter'] == 1


def test_without_async_save_the_file_is_there_at_once(run, tmp_path):
    watch = Watch(tmp_path / 'work')
    run(watch, length=2, async_save=False)
    assert watch.seen == [['iter_1.pth', 'latest.pth'], ['iter_1.pth', 'iter_2.pth', 'latest.pth']]


@pytest.mark.parametrize('async_save', [False, True])
def test_an_old_one_goes_when_the_new_one_is_safe(run, tmp_path, monkeypatch, async_save,
                                                  log_lines):
    """The third write fails: two files stay although one is to be kept, and the last one counts."""
    write = async_saver.write_serialized

    def fail_third(plain, path, verify):
        if path.name == 'iter_3.pth':
            disk_full()
        write(plain, path, verify)

    monkeypatch.setattr(async_saver, 'write_serialized', fail_third)
    with pytest.raises(CheckpointError, match='the disk is full'):
        run(length=3, max_keep_ckpts=1, async_save=async_save)
    names = sorted(path.name for path in (tmp_path / 'work').glob('*.pth'))
    assert names == ['iter_2.pth', 'latest.pth']
    assert read_checkpoint(tmp_path / 'work' / 'latest.pth')['meta']['iter'] == 2
    runner = run(length=4, max_keep_ckpts=1, async_save=async_save)
    assert runner.hook_msgs['last_ckpt'] == str(tmp_path / 'work' / 'iter_4.pth')
    assert any('the disk is full' in line for line in log_lines)


@pytest.mark.parametrize('async_save', [False, True])
def test_stop_ends_the_run_at_a_failure(run, monkeypatch, async_save, tmp_path):
    monkeypatch.setattr(async_saver, 'write_serialized', disk_full)
    watch = Watch(tmp_path / 'work')
    with pytest.raises(CheckpointError, match='the disk is full'):
        run(watch, length=50, on_error='stop', async_save=async_save)
    assert len(watch.seen) < 50


def test_the_last_checkpoint_is_known_by_what_was_written(run, monkeypatch, tmp_path):
    write = async_saver.write_serialized
    monkeypatch.setattr(async_saver, 'write_serialized',
                        lambda plain, path, verify: disk_full() if path.name == 'iter_3.pth'
                        else write(plain, path, verify))
    seen = {}

    class Look(Hook):
        def after_train_iter(self, runner):
            runner.saver.wait()
            seen[runner.finished_iters] = runner.hook_msgs['last_ckpt'][-10:]

    run(Look(), length=4)
    assert seen == {1: 'iter_1.pth', 2: 'iter_2.pth', 3: 'iter_2.pth', 4: 'iter_4.pth'}


def test_leftovers_of_a_killed_run_are_removed(run, tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    left = [folder / f'.iter_9.pth.{"0a" * 16}.tmp', folder / f'latest.pth.{"1b" * 16}.tmp']
    others = [folder / 'notes.tmp', folder / f'x.{"0A" * 16}.tmp', folder / '.iter_9.pth']
    for path in left + others:
        path.touch()
    run(length=1)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)
