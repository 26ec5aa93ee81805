"""Runs in a folder that holds the checkpoints of others."""
import os

import pytest
import torch

from mmcv_replace.runner.checkpoints.files import read_checkpoint


@pytest.fixture
def train(make_runner, make_loader, tmp_path):
    """A run in one folder for all; returns the content of its files by name."""
    def run(length, run_id=None, resume=None, load=None, by_epoch=False, **config):
        runner = make_runner(by_epoch, **{'max_epochs' if by_epoch else 'max_iters': length},
                             meta={} if run_id is None else {'run_id': run_id})
        runner.register_optimizer_hook({})
        runner.register_checkpoint_hook({'interval': 1, 'max_keep_ckpts': 1, **config})
        if resume is not None:
            runner.resume(tmp_path / 'work' / resume)
        if load is not None:
            runner.begins_from(tmp_path / 'work' / load)
        runner.run([make_loader(length=2)], [('train', 1)])
        return content(tmp_path / 'work')
    return run


def content(folder):
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)
            if name != 'latest.pth'}


def names(*numbers, unit='iter'):
    return {f'{unit}_{number}.pth' for number in numbers}


@pytest.mark.parametrize('ids', [('a', 'b'), (None, None)])
def test_a_new_run_deletes_none_of_another_run(train, ids, log_lines, tmp_path):
    before = train(9, ids[0], interval=3, max_keep_ckpts=-1)
    assert before.keys() == names(3, 6, 9)
    assert not [line for line in log_lines if 'another run' in line]
    after = train(8, ids[1], interval=2)
    assert after.keys() == names(3, 8, 9)  # 6 has taken the place of the other 6, and is outdated
    assert (after['iter_3.pth'], after['iter_9.pth']) == (
        before['iter_3.pth'], before['iter_9.pth'])
    told, = [line for line in log_lines if 'another run' in line]
    assert told == (f'{tmp_path / "work"} holds 3 checkpoints of another run (iter_3.pth, '
                    'iter_6.pth, iter_9.pth): none is deleted, but a checkpoint of this run '
                    'replaces one of the same name. Choose another --work-dir to keep both')


def test_in_a_folder_and_under_names_of_the_users(train, tmp_path, log_lines):
    out = tmp_path / 'out'
    options = dict(out_dir=str(out), filename_tmpl='m{}.ckpt')
    train(3, 'a', interval=3, **options)
    train(6, 'b', interval=2, **options)
    assert sorted(os.listdir(out)) == ['latest.pth', 'm3.ckpt', 'm6.ckpt']
    assert read_checkpoint(out / 'm3.ckpt')['meta']['run_id'] == 'a'
    assert 'Choose another checkpoint_config.out_dir' in '\n'.join(log_lines)


def test_epochs_and_iterations(train):
    before = train(2, 'a', by_epoch=True, max_keep_ckpts=-1)
    after = train(4, 'b')
    assert after.keys() == names(1, 2, unit='epoch') | names(4)
    assert before.items() <= after.items()


def test_a_resume_keeps_the_file_that_the_user_named(train, log_lines):
    before = train(3, 'a', max_keep_ckpts=-1)
    after = train(6, 'b', resume='iter_3.pth')
    assert after.keys() == names(3, 6)
    assert after['iter_3.pth'] == before['iter_3.pth']
    assert not [line for line in log_lines if 'another run' in line]


def test_through_the_link(train):
    train(3, 'a', max_keep_ckpts=-1)
    assert train(6, 'b', resume='latest.pth').keys() == names(3, 6)


def test_a_run_that_goes_on_deletes_its_own(train):
    """As under auto-resume, where nobody named a file."""
    train(3, 'a', max_keep_ckpts=-1)
    assert train(6, 'a', resume='iter_3.pth').keys() == names(6)


def test_what_lies_beyond_an_earlier_checkpoint_is_of_another_run(train):
    before = train(6, 'a', max_keep_ckpts=-1)
    after = train(4, 'b', resume='iter_2.pth', interval=2)
    assert after.keys() == names(2, 3, 4, 5, 6)
    assert after['iter_3.pth'] == before['iter_3.pth']


def test_weights_to_start_from_are_neither_deleted_nor_replaced(train, tmp_path, log_lines):
    before = train(3, 'a')
    after = train(5, 'b', load='iter_3.pth', max_keep_ckpts=2)
    assert after.keys() == names(3, 4, 5)
    assert after['iter_3.pth'] == before['iter_3.pth']
    assert (f'{tmp_path / "work"}/iter_3.pth, from which this run began, is kept: the checkpoint '
            'of that name is written as iter_3_1.pth') in log_lines
    after = train(3, 'c', load='iter_3.pth')
    assert after.keys() >= {'iter_3.pth', 'iter_3_1.pth'}
    assert os.readlink(tmp_path / 'work' / 'latest.pth') == 'iter_3_1.pth'
    assert after['iter_3.pth'] == before['iter_3.pth']


def test_a_damaged_file_is_nobodys(train, tmp_path):
    train(2, 'a', max_keep_ckpts=-1)
    (tmp_path / 'work' / 'iter_1.pth').write_bytes(b'damaged')
    assert train(4, 'a', resume='iter_2.pth').keys() == names(1, 4)
    torch.save({'meta': 3}, tmp_path / 'work' / 'iter_1.pth')
    assert train(5, 'a', resume='iter_4.pth').keys() == names(1, 5)


def test_the_best_of_another_run_is_told_of(train, tmp_path, log_lines):
    train(3, 'a', interval=3)
    (tmp_path / 'work' / 'iter_3.pth').rename(tmp_path / 'work' / 'best_mIoU_iter_3.pth')
    train(4, 'b', max_keep_ckpts=1)
    assert 'holds 1 checkpoints of another run (best_mIoU_iter_3.pth)' in '\n'.join(log_lines)
