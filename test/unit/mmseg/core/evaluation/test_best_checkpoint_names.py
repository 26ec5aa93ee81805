"""Names of the files of best checkpoints, for any metric and class."""
import re

import pytest
import torch

from mmcv_replace.runner import CheckpointHook
from mmseg.core import EvalHook
from mmseg.core.evaluation.best import best_name


def files(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def run(runner, train_loader):
    runner.run([train_loader], [('train', 1)])


CLASSES = ('a/b', 'a_b', 'a%2Fb', 'a\\b', 'a:b', '../../up', '.hidden', 'traffic light', 'lane1',
           'lane2', '{}', 'line\nbreak', 'Straße', '道路', 'x' * 300, 'x' * 301, '路' * 300)


@pytest.mark.parametrize('label', CLASSES)
def test_the_class_of_a_metric_in_the_name_of_a_file(
        make_runner, make_loader, train_loader, scripted, tmp_path, label, caplog):
    metric = f'IoU.{label}'
    scripted({metric: 0.3, 'aAcc': 0.5}, {metric: 0.5, 'aAcc': 0.4}, {metric: 0.6, 'aAcc': 0.4})
    run(make_runner(EvalHook(make_loader(), save_best=metric), 2), train_loader)
    name, = files(tmp_path)
    assert name == best_name(metric, 'iter', 2)
    with caplog.at_level('INFO'):
        resumed = make_runner(EvalHook(make_loader(), save_best=metric), 3)
        resumed.resume(tmp_path / name)
        run(resumed, train_loader)
    assert files(tmp_path) == [best_name(metric, 'iter', 3)]
    assert f'best {metric} so far: 0.6000' in caplog.text
    stored = torch.load(tmp_path / best_name(metric, 'iter', 3), weights_only=True)
    assert stored['meta']['hook_msgs']['best_metric'] == metric


def test_names_of_files_are_distinct_and_safe():
    names = [best_name(f'IoU.{label}', 'iter', 1) for label in CLASSES]
    assert len({name.casefold() for name in names}) == len(CLASSES)
    for name in names:
        assert re.fullmatch(r'[\w.%+~-]+', name), name
        assert len(name.encode()) < 160
    assert names[0] == 'best_IoU.a%2Fb_iter_1.pth'
    assert best_name('mIoU', 'epoch', 12) == 'best_mIoU_epoch_12.pth'


def test_a_best_that_an_earlier_version_named_is_replaced(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    scripted({'IoU.traffic light': 0.5}, {'IoU.traffic light': 0.4}, {'IoU.traffic light': 0.6})
    hook = {'save_best': 'IoU.traffic light'}
    run(make_runner(EvalHook(make_loader(), **hook), 1), train_loader)
    former = tmp_path / 'best_IoU.traffic light_iter_1.pth'
    (tmp_path / 'best_IoU.traffic%20light_iter_1.pth').rename(former)
    resumed = make_runner(EvalHook(make_loader(), **hook), 3)
    resumed.resume(former)
    run(resumed, train_loader)
    assert files(tmp_path) == ['best_IoU.traffic%20light_iter_3.pth']


def test_metrics_that_differ_in_digits_alone_have_a_best_each(
        make_runner, make_loader, train_loader, scripted, tmp_path):
    """Of two hooks in one run, and after a resume."""
    first, second = 'IoU.lane1', 'IoU.lane2'
    scripted(*({first: one, second: two} for one, two in [(0.5, 0.1)] * 2 + [(0.4, 0.2)] * 2
               + [(0.45, 0.15)] * 2))
    for length, resume in ((2, None), (3, 'iter_2.pth')):
        runner = make_runner(EvalHook(make_loader(), save_best=first), length)
        runner.register_hook(EvalHook(make_loader(), save_best=second), 'LOW')
        runner.register_hook(CheckpointHook(interval=1, by_epoch=False))
        if resume is not None:
            runner.resume(tmp_path / resume)
        run(runner, train_loader)
        assert [name for name in files(tmp_path) if name.startswith('best')] == [
            'best_IoU.lane1_iter_1.pth', 'best_IoU.lane2_iter_2.pth']
