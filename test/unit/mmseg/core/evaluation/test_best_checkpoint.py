"""The best checkpoint: which one is kept, and what a resumed run knows of it."""
import math
import os

import pytest
import torch

from mmcv_replace.runner import CheckpointHook, Hook
from mmcv_replace.runner.checkpoints import saver as async_saver
from mmcv_replace.utils.errors import CheckpointError, ConfigError
from mmseg.core import EvalHook
from mmseg.core.evaluation import eval_hooks


def files(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def run(runner, train_loader):
    runner.run([train_loader], [('train', 1)])


def test_best_checkpoint_replaces_the_former(make_runner, make_loader, train_loader, scripted,
                                             tmp_path):
    scripted(*({'aAcc': 0.9, 'mIoU': score} for score in (0.3, 0.5, 0.4, 0.5, 0.6, math.nan)))
    seen = []

    class Files(Hook):
        def after_train_iter(self, runner):
            seen.append((files(tmp_path), runner.hook_msgs['best_score']))

    runner = make_runner(EvalHook(make_loader()))
    runner.register_hook(Files(), 'VERY_LOW')
    run(runner, train_loader)
    assert seen == [(['best_mIoU_iter_1.pth'], 0.3)] + [(['best_mIoU_iter_2.pth'], 0.5)] * 3 \
        + [(['best_mIoU_iter_5.pth'], 0.6)] * 2
    stored = torch.load(tmp_path / 'best_mIoU_iter_5.pth', weights_only=True)
    assert stored['meta']['iter'] == 5
    assert stored['meta']['hook_msgs']['best_score'] == 0.6
    assert stored['meta']['hook_msgs']['best_ckpt'] == str(tmp_path / 'best_mIoU_iter_5.pth')
    assert 'optimizer' in stored


def test_latest_does_not_point_at_the_best(make_runner, make_loader, train_loader, tmp_path):
    runner = make_runner(EvalHook(make_loader(), interval=6))
    runner.register_hook(CheckpointHook(interval=3, by_epoch=False))
    run(runner, train_loader)
    assert os.path.realpath(tmp_path / 'latest.pth') == str(tmp_path / 'iter_6.pth')
    assert 'best_mIoU_iter_6.pth' in files(tmp_path)


def test_best_by_epoch(make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.2}, {'mIoU': 0.4}, {'mIoU': 0.3})
    run(make_runner(EvalHook(make_loader(), by_epoch=True), 3, by_epoch=True), train_loader)
    assert files(tmp_path) == ['best_mIoU_epoch_2.pth']


@pytest.mark.parametrize(('options', 'scores', 'expected'), [
    ({}, dict(aAcc=[1, 2, 0]), 'best_aAcc_iter_2.pth'),
    (dict(save_best='mDice'), dict(mIoU=[3, 2, 1], mDice=[1, 2, 0]), 'best_mDice_iter_2.pth'),
    (dict(save_best='val_loss'), dict(val_loss=[3, 1, 2]), 'best_val_loss_iter_2.pth'),
    (dict(save_best='speed', rule='greater'), dict(speed=[1, 2, 0]), 'best_speed_iter_2.pth'),
    (dict(rule='less'), dict(mIoU=[1, 2, 0.5]), 'best_mIoU_iter_3.pth'),
])
def test_metric_and_rule(make_runner, make_loader, train_loader, scripted, tmp_path, options,
                         scores, expected):
    scripted(*(dict(zip(scores, values, strict=True))
               for values in zip(*scores.values(), strict=True)))
    run(make_runner(EvalHook(make_loader(), **options), 3), train_loader)
    assert files(tmp_path) == [expected]


@pytest.mark.parametrize('save_best', [None, False])
def test_no_best_checkpoint_on_request(make_runner, make_loader, train_loader, tmp_path, save_best):
    run(make_runner(EvalHook(make_loader(), save_best=save_best)), train_loader)
    assert files(tmp_path) == []


def test_without_work_dir_nothing_is_saved(make_runner, make_loader, dataset, train_loader):
    run(make_runner(EvalHook(make_loader(), interval=6), work_dir=None), train_loader)
    assert len(dataset.evaluated) == 1


@pytest.mark.parametrize(('next_score', 'expected'), [(0.4, 'best_mIoU_iter_4.pth'),
                                                      (0.6, 'best_mIoU_iter_5.pth')])
def test_resumed_run_knows_the_best_of_the_iteration_it_resumes(
        make_runner, make_loader, train_loader, scripted, tmp_path, next_score, expected):
    """iter_4.pth is written before the evaluation at 4 that finds the best score."""
    scripted({'mIoU': 0.3}, {'mIoU': 0.5}, {'mIoU': next_score})
    runner = make_runner(EvalHook(make_loader(), interval=2), 4)
    runner.register_hook(CheckpointHook(interval=2, by_epoch=False))
    run(runner, train_loader)
    assert 'best_mIoU_iter_4.pth' in files(tmp_path)

    resumed = make_runner(EvalHook(make_loader(), interval=5), 5)
    resumed.resume(tmp_path / 'iter_4.pth')
    run(resumed, train_loader)
    assert [name for name in files(tmp_path) if 'best' in name] == [expected]


def test_resumed_run_finds_the_best_in_a_moved_folder(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.3}, {'mIoU': 0.5})
    run(make_runner(EvalHook(make_loader()), 1, work_dir=tmp_path / 'a'), train_loader)
    (tmp_path / 'a').rename(tmp_path / 'b')
    second = make_runner(EvalHook(make_loader()), 2, work_dir=tmp_path / 'b')
    second.resume(tmp_path / 'b/best_mIoU_iter_1.pth')
    run(second, train_loader)
    assert files(tmp_path / 'b') == ['best_mIoU_iter_2.pth']


def test_the_best_from_which_a_run_began_is_kept(make_runner, make_loader, train_loader, scripted,
                                                 tmp_path):
    scripted({'mIoU': 0.3}, {'mIoU': 0.5}, {'mIoU': 0.6})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    runner = make_runner(EvalHook(make_loader()), 3)
    runner.resume(tmp_path / 'best_mIoU_iter_1.pth')
    runner.begins_from(tmp_path / 'best_mIoU_iter_1.pth')
    run(runner, train_loader)
    assert files(tmp_path) == ['best_mIoU_iter_1.pth', 'best_mIoU_iter_3.pth']


def test_new_run_forgets_the_best_of_the_former(make_runner, make_loader, train_loader, scripted,
                                                tmp_path):
    scripted({'mIoU': 0.5}, {'mIoU': 0.3})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    second = make_runner(EvalHook(make_loader(), interval=2), 2)
    run(second, train_loader)
    assert second.hook_msgs['best_score'] == 0.3


def test_resume_in_another_folder_leaves_the_former_best_there(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.3}, {'mIoU': 0.5})
    first = make_runner(EvalHook(make_loader()), 1, work_dir=tmp_path / 'a')
    run(first, train_loader)
    second = make_runner(EvalHook(make_loader()), 2, work_dir=tmp_path / 'b')
    second.resume(tmp_path / 'a/best_mIoU_iter_1.pth')
    run(second, train_loader)
    assert files(tmp_path / 'a') == ['best_mIoU_iter_1.pth']
    assert files(tmp_path / 'b') == ['best_mIoU_iter_2.pth']


def test_other_metric_starts_afresh(make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.5, 'mAcc': 0.9}, {'mIoU': 0.4, 'mAcc': 0.2})
    run(make_runner(EvalHook(make_loader(), save_best='mAcc'), 1), train_loader)
    second = make_runner(EvalHook(make_loader()), 2)
    second.resume(tmp_path / 'best_mAcc_iter_1.pth')
    run(second, train_loader)
    assert second.hook_msgs['best_score'] == 0.4
    assert files(tmp_path) == ['best_mAcc_iter_1.pth', 'best_mIoU_iter_2.pth']


def test_only_rank_0_writes(make_runner, make_loader, train_loader, tmp_path):
    runner = make_runner(EvalHook(make_loader()), 1)
    runner._rank = 1
    run(runner, train_loader)
    assert files(tmp_path) == []
    assert runner.hook_msgs['best_ckpt'].endswith('best_mIoU_iter_1.pth')


def test_first_score_whose_name_does_not_tell_what_is_better(
        make_runner, make_loader, train_loader, scripted, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('mmseg.core.evaluation.best_checkpoint.warn_once', said.append)
    scripted({'speed': 3.0})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    assert files(tmp_path) == []
    assert "'speed' does not tell which value is better; say evaluation.rule" in said[0]


def test_best_metric_that_is_not_scored(make_runner, make_loader, train_loader, scripted):
    """By an `evaluate` of users, whose scores nobody knows before."""
    scripted({'aAcc': 0.5, 'mIoU': 0.5})
    hook = EvalHook(make_loader(), save_best='mDice')
    with pytest.raises(ConfigError, match="save_best='mDice' is not among the scores.*mIoU"):
        run(make_runner(hook), train_loader)


def test_best_metric_that_is_no_number(make_runner, make_loader, train_loader, scripted):
    scripted({'mIoU': 'good'})
    hook = EvalHook(make_loader(), save_best='mIoU')
    with pytest.raises(ConfigError, match="save_best='mIoU': its score is 'good', and only"):
        run(make_runner(hook), train_loader)


@pytest.mark.parametrize(('scores', 'kept'), [
    (dict(aAcc=0.9, mDice=0.5, mAcc=0.6), 'mDice'),
    (dict(aAcc=0.9, mFscore=0.5, mPrecision=0.6), 'mFscore'),
    (dict(aAcc=0.9, mDice=0.7, mIoU=0.5), 'mIoU')])
def test_the_score_of_the_metric_comes_before_the_accuracy(
        make_runner, make_loader, train_loader, scripted, tmp_path, scores, kept):
    scripted(scores)
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    assert files(tmp_path) == [f'best_{kept}_iter_1.pth']


def test_the_first_number_is_the_best_score(make_runner, make_loader, train_loader, scripted,
                                            tmp_path):
    scripted({'table': 'a | b', 7: 'x', 'recall': 0.5})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    assert files(tmp_path) == ['best_recall_iter_1.pth']


def test_several_scores_have_a_best_checkpoint_each(make_runner, make_loader, train_loader,
                                                    scripted, tmp_path):
    scripted({'mIoU': 0.1, 'IoU.行人': 0.5, 'val/loss': 1.0},
             {'mIoU': 0.3, 'IoU.行人': 0.4, 'val/loss': 0.5},
             {'mIoU': 0.2, 'IoU.行人': 0.6, 'val/loss': 0.7})
    save_best = ['mIoU', 'IoU.行人', 'val/loss', 'mIoU']
    run(make_runner(EvalHook(make_loader(), save_best=save_best), 2), train_loader)
    assert files(tmp_path) == ['best_IoU.行人_iter_1.pth', 'best_mIoU_iter_2.pth',
                               'best_val%2Floss_iter_2.pth']
    resumed = make_runner(EvalHook(make_loader(), save_best=save_best), 3)
    resumed.resume(tmp_path / 'best_mIoU_iter_2.pth')
    run(resumed, train_loader)
    assert files(tmp_path) == ['best_IoU.行人_iter_3.pth', 'best_mIoU_iter_2.pth',
                               'best_val%2Floss_iter_2.pth']


def test_the_evaluation_is_finished_when_the_last_of_several_is_written(
        make_runner, make_loader, train_loader, scripted, tmp_path, monkeypatch):
    scripted({'mIoU': 0.1, 'aAcc': 0.5})
    noted = []
    monkeypatch.setattr(eval_hooks, 'note_evaluated',
                        lambda runner, done: noted.append((done, files(tmp_path))))
    run(make_runner(EvalHook(make_loader(), save_best=['mIoU', 'aAcc']), 1), train_loader)
    assert noted == [(1, ['best_aAcc_iter_1.pth', 'best_mIoU_iter_1.pth'])]


def test_a_best_checkpoint_that_could_not_be_written_is_not_the_best(
        make_runner, make_loader, train_loader, scripted, tmp_path, monkeypatch):
    """The second of three gets lost: the third is worse than it, and better than the first."""
    scripted({'mIoU': 0.3}, {'mIoU': 0.5}, {'mIoU': 0.4})
    write = async_saver.write_serialized

    def fail_once(plain, path, verify):
        if path.name == 'best_mIoU_iter_2.pth':
            raise CheckpointError('the disk is full')
        write(plain, path, verify)

    monkeypatch.setattr(async_saver, 'write_serialized', fail_once)
    runner = make_runner(EvalHook(make_loader()), 3)
    run(runner, train_loader)
    assert files(tmp_path) == ['best_mIoU_iter_3.pth']
    assert runner.hook_msgs['best_score'] == 0.4


def test_the_former_best_stays_until_the_new_one_is_written(
        make_runner, make_loader, train_loader, scripted, tmp_path, monkeypatch):
    scripted({'mIoU': 0.3}, {'mIoU': 0.5})
    write, seen = async_saver.write_serialized, []
    monkeypatch.setattr(async_saver, 'write_serialized',
                        lambda *args: (write(*args), seen.append(files(tmp_path))))
    run(make_runner(EvalHook(make_loader()), 2), train_loader)
    assert seen == [['best_mIoU_iter_1.pth'], ['best_mIoU_iter_1.pth', 'best_mIoU_iter_2.pth']]
    assert files(tmp_path) == ['best_mIoU_iter_2.pth']


def best_file(path, iteration, score, **meta):
    torch.save({'meta': {'iter': iteration, 'epoch': 1, 'hook_msgs': {'best_score': score}, **meta},
                'state_dict': {}}, path)


def test_resumed_run_takes_the_best_by_iteration_of_its_own_run(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    """Neither clocks, damaged files nor those of an earlier run decide."""
    scripted({'mIoU': 0.1}, {'mIoU': 0.2})
    runner = make_runner(EvalHook(make_loader(), interval=2), 2, meta={'run_id': 'this'})
    runner.register_hook(CheckpointHook(interval=1, by_epoch=False))
    run(runner, train_loader)
    (tmp_path / 'best_mIoU_iter_2.pth').unlink()
    for age, (number, score, run_id) in enumerate(
            [(12, 0.6, 'this'), (11, 0.5, 'this'), (90, 0.9, 'earlier')]):
        file = tmp_path / f'best_mIoU_iter_{number}.pth'
        best_file(file, number, score, run_id=run_id)
        os.utime(file, (1e9 + age, 1e9 + age))
    (tmp_path / 'best_mIoU_iter_95.pth').write_bytes(b'half a file')
    resumed = make_runner(EvalHook(make_loader(), interval=5), 3)
    resumed.resume(tmp_path / 'iter_2.pth')
    run(resumed, train_loader)
    assert resumed.hook_msgs['best_score'] == 0.6
    assert resumed.hook_msgs['best_ckpt'] == str(tmp_path / 'best_mIoU_iter_12.pth')


def test_a_run_that_goes_back_knows_the_best_of_the_common_past(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    """Not of what the other run did beyond the checkpoint, which was saved ahead of its scores."""
    scripted({'mIoU': 0.1})
    runner = make_runner(EvalHook(make_loader(), interval=9), 2, meta={'run_id': 'other'})
    runner.register_hook(CheckpointHook(interval=1, by_epoch=False))
    run(runner, train_loader)
    for number, score in ((2, 0.4), (3, 0.8)):
        best_file(tmp_path / f'best_mIoU_iter_{number}.pth', number, score, run_id='other')
    resumed = make_runner(EvalHook(make_loader(), interval=9), 3, meta={'run_id': 'own'})
    resumed.resume(tmp_path / 'iter_2.pth')
    run(resumed, train_loader)
    assert resumed.meta['run_id'] == 'own'
    assert resumed.hook_msgs['best_score'] == 0.4


def test_epochs_in_a_run_that_has_none(make_runner, make_loader, train_loader):
    with pytest.raises(ConfigError, match=r'evaluation\.by_epoch=True: IterBasedRunner counts'):
        run(make_runner(EvalHook(make_loader(), by_epoch=True), 2), train_loader)


def test_a_best_checkpoint_that_is_gone_is_forgotten(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'mIoU': 0.5}, {'mIoU': 0.3})
    first = make_runner(EvalHook(make_loader()), 1)
    run(first, train_loader)
    path = first.save_checkpoint(tmp_path)
    (tmp_path / 'best_mIoU_iter_1.pth').unlink()
    second = make_runner(EvalHook(make_loader()), 2)
    second.resume(path)
    run(second, train_loader)
    assert files(tmp_path) == ['best_mIoU_iter_2.pth', 'iter_1.pth', 'latest.pth']


def test_the_best_takes_no_name_of_a_file_from_which_the_run_began(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    """As --load-from of a best checkpoint, into the same folder."""
    scripted({'mIoU': 0.3}, {'mIoU': 0.5}, {'mIoU': 0.6})
    run(make_runner(EvalHook(make_loader()), 1), train_loader)
    before = (tmp_path / 'best_mIoU_iter_1.pth').read_bytes()

    class Files(Hook):
        def after_train_iter(self, runner):
            seen.append(files(tmp_path))

    seen = []
    runner = make_runner(EvalHook(make_loader()), 2)
    runner.begins_from(tmp_path / 'best_mIoU_iter_1.pth')
    runner.register_hook(Files(), 'VERY_LOW')
    run(runner, train_loader)
    assert seen == [['best_mIoU_iter_1.pth', 'best_mIoU_iter_1_1.pth'],
                    ['best_mIoU_iter_1.pth', 'best_mIoU_iter_2.pth']]
    assert (tmp_path / 'best_mIoU_iter_1.pth').read_bytes() == before
