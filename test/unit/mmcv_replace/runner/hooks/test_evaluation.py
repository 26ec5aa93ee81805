"""EvalHook and DistEvalHook for data sets of any kind."""
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.runner import DistEvalHook, EvalHook
from mmcv_replace.runner.hooks.evaluation import infer_rule


class Scored(Dataset):
    def __init__(self, *scores, name='acc'):
        self.scores, self.name, self.calls = list(scores), name, []

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return torch.ones(2)

    def evaluate(self, results, logger=None, **kwargs):
        self.calls.append((results, logger, kwargs))
        return {self.name: self.scores.pop(0), 'other': 1} if self.scores else {}


def predict(model, dataloader):
    return [7]


def evaluated(make_runner, make_loader, dataset, by_epoch=True, length=3, **options):
    runner = make_runner(by_epoch=by_epoch, **{'max_epochs' if by_epoch else 'max_iters': length})
    hook = EvalHook(DataLoader(dataset), by_epoch=by_epoch, test_fn=predict, **options)
    runner.register_hook(hook)
    runner.run([make_loader()], [('train', 1)])
    return runner


def best_files(folder):
    return sorted(path.name for path in folder.rglob('best_*'))


@pytest.mark.parametrize(('by_epoch', 'unit'), [(True, 'epoch'), (False, 'iter')])
@pytest.mark.parametrize(('options', 'score', 'number'), [
    ({'save_best': 'auto'}, 4, 2), ({'save_best': 'acc'}, 4, 2),
    ({'save_best': 'acc', 'rule': 'less'}, 1, 1),
    ({'save_best': 'acc', 'greater_keys': ['x'], 'less_keys': 'acc'}, 1, 1)])
def test_the_best(make_runner, make_loader, tmp_path, by_epoch, unit, options, score, number):
    runner = evaluated(make_runner, make_loader, Scored(1, 4, 3), by_epoch, **options)
    name = f'best_acc_{unit}_{number}.pth'
    assert best_files(tmp_path) == [name]
    assert runner.meta['hook_msgs']['best_score'] == score
    assert runner.meta['hook_msgs']['best_ckpt'] == str(tmp_path / 'work' / name)
    saved = torch.load(tmp_path / 'work' / name, weights_only=True)
    assert saved['meta'][unit] == number


def test_another_folder(make_runner, make_loader, tmp_path):
    evaluated(make_runner, make_loader, Scored(1, 4), save_best='acc', length=2,
              out_dir=str(tmp_path / 'best'))
    assert [path.parent for path in tmp_path.rglob('best_*.pth')] == [tmp_path / 'best/work']


def test_what_evaluate_gets_and_what_is_logged(make_runner, make_loader):
    dataset = Scored(1, 2, 3)
    runner = evaluated(make_runner, make_loader, dataset, metric='m')
    assert dataset.calls == [([7], runner.logger, {'metric': 'm'})] * 3
    assert runner.log_buffer.output == {'eval_iter_num': 2, 'acc': 3, 'other': 1}
    assert runner.log_buffer.ready


def test_no_score_is_no_best(make_runner, make_loader, tmp_path):
    with pytest.warns(UserWarning, match='returned no scores'):
        evaluated(make_runner, make_loader, Scored(), save_best='acc', length=1)
    assert best_files(tmp_path) == []


@pytest.mark.parametrize('by_epoch', [True, False])
@pytest.mark.parametrize(('options', 'times'), [
    ({}, 3), ({'interval': 2}, 1), ({'start': 2}, 2), ({'start': 1, 'interval': 2}, 2),
    ({'start': 0}, 4), ({'start': 5}, 0)])
def test_when(make_runner, make_loader, by_epoch, options, times):
    dataset = Scored(*range(9))
    evaluated(make_runner, make_loader, dataset, by_epoch, **options)
    assert len(dataset.calls) == times


def test_a_subclass_with_its_own_evaluation(make_runner, make_loader, tmp_path):
    class Mine(EvalHook):
        def evaluate(self, runner, results):
            self._init_rule('less', 'mine')
            return len(results)

    runner = make_runner(by_epoch=True, max_epochs=2)
    runner.register_hook(Mine(DataLoader(Scored()), test_fn=predict, save_best='auto'))
    runner.run([make_loader()], [('train', 1)])
    assert best_files(tmp_path) == ['best_mine_epoch_1.pth']


def test_distributed_gives_its_options_to_the_test_function(make_runner, make_loader, tmp_path):
    seen = []

    def collect(model, dataloader, tmpdir, gpu_collect):
        seen.append((tmpdir, gpu_collect))
        return [1]

    for options in ({}, {'tmpdir': 'x', 'gpu_collect': True}):
        runner = make_runner(by_epoch=True, max_epochs=1)
        runner.register_hook(DistEvalHook(DataLoader(Scored(1)), test_fn=collect,
                                          save_best='acc', **options))
        runner.run([make_loader()], [('train', 1)])
    assert seen == [(str(tmp_path / 'work/.eval_hook'), False), ('x', True)]
    assert best_files(tmp_path) == ['best_acc_epoch_1.pth']


@pytest.mark.parametrize(('name', 'rule'), [
    ('acc', 'greater'), ('mIoU.road', 'greater'), ('loss_acc', 'greater'), ('LOSS', 'less'),
    ('val_loss', 'less')])
def test_rules(name, rule):
    assert infer_rule(name, EvalHook._default_greater_keys, ['loss']) == rule


@pytest.mark.parametrize(('options', 'error', 'message'), [
    ({'interval': 0}, ValueError, 'interval=0 is at least 1'),
    ({'start': -1}, ValueError, 'start=-1 is not negative'),
    ({'save_best': True}, AssertionError, 'save_best=True is the name of a score'),
    ({'save_best': 'x'}, ValueError, "which value of save_best='x' is better"),
    ({'save_best': 'acc', 'rule': 'most'}, KeyError, "rule='most' is 'greater'"),
    ({'out_dir': 3}, TypeError, 'out_dir is a path, not 3'),
    ({'file_client_args': {}}, ValueError, 'are for out_dir, which is not given')])
def test_options_that_cannot_be(options, error, message):
    with pytest.raises(error, match=message):
        EvalHook(DataLoader(Scored()), test_fn=predict, **options)


def test_a_score_that_is_not_there(make_runner, make_loader):
    with pytest.raises(KeyError, match="save_best='loss' is not among the scores"):
        evaluated(make_runner, make_loader, Scored(1), save_best='loss')


def test_no_data_loader():
    with pytest.raises(TypeError, match='dataloader is a DataLoader, not list'):
        EvalHook([], test_fn=predict)
