"""Loggers of other packages, against the calls that mmcv makes; trackers have their own tests."""
import json
import sys

import pytest
import torch
from torch.utils.data import DataLoader

from mmcv_replace.runner import EpochBasedRunner
from mmcv_replace.runner.hooks import (
    ClearMLLoggerHook,
    DvcliveLoggerHook,
    MlflowLoggerHook,
    NeptuneLoggerHook,
    PaviLoggerHook,
    SegmindLoggerHook,
    SwanlabLoggerHook,
    WandbLoggerHook,
)

pytestmark = pytest.mark.usefixtures('packages_of_loggers')


@pytest.fixture
def run(make_runner, make_loader):
    """Two epochs of 4 iterations with a hook, each followed by a validation."""
    def train(hook, by_epoch=True, model=None, **kwargs):
        runner = make_runner(by_epoch=by_epoch, momentum=0.9, model=model, **kwargs,
                             **{'max_epochs' if by_epoch else 'max_iters': 2 if by_epoch else 4})
        runner.register_checkpoint_hook({'interval': 1})
        runner.register_timer_hook({})
        runner.register_hook(hook, 'VERY_LOW')
        val = [('val', 1)] * by_epoch
        runner.run([make_loader()] * (1 + len(val)), [('train', 1), *val])
        return runner
    return train


def tags(call):
    return sorted(call.args[0])


TRAIN = ['learning_rate', 'momentum', 'train/fps', 'train/loss', 'train/size']
VAL = ['learning_rate', 'momentum', 'val/loss', 'val/size']
STEPS = [2, 4, 5, 6, 8, 9]  # each validation is a step of its own


def test_neptune(run, packages_of_loggers):
    neptune = packages_of_loggers['neptune'].new
    run(NeptuneLoggerHook({'project': 'p'}, interval=2))
    neptune.init.assert_called_once_with(project='p')
    entries = neptune.init.return_value
    names = [call.args[0] for call in entries.__getitem__.call_args_list]
    assert sorted(names[:5]) == TRAIN
    steps = [call.kwargs['step'] for call in entries['x'].log.call_args_list]
    assert sorted({*steps}) == STEPS
    entries.stop.assert_called_once_with()
    entries.reset_mock()
    run(NeptuneLoggerHook(interval=2, with_step=False))
    assert 'global_step' in [call.args[0] for call in entries.__getitem__.call_args_list]
    assert not any(call.kwargs for call in entries['x'].log.call_args_list)


def test_dvclive(run, packages_of_loggers, tmp_path):
    live = packages_of_loggers['dvclive'].Live
    run(DvcliveLoggerHook(str(tmp_path / 'model.pth'), path='x'))
    live.assert_called_once_with(path='x')
    assert [call.args for call in live.return_value.set_step.call_args_list] == [
        (1,), (1,), (2,), (2,)]
    assert {call.args[0] for call in live.return_value.log.call_args_list} == {*TRAIN, *VAL}
    assert (tmp_path / 'model.pth').is_file()
    own = packages_of_loggers['dvclive'].Own()
    run(DvcliveLoggerHook(interval=2, by_epoch=False, dvclive=own), by_epoch=False)
    assert [call.args for call in own.set_step.call_args_list] == [(2,), (4,)]


def test_segmind(run, packages_of_loggers):
    segmind = packages_of_loggers['segmind']
    run(SegmindLoggerHook(interval=4))
    send = segmind.utils.logging_utils.try_mlflow_log
    assert [call.kwargs for call in send.call_args_list] == [
        dict(step=epoch, epoch=epoch) for epoch in (0, 1, 1, 2)]
    assert send.call_args.args[0] is segmind.tracking.fluent.log_metrics


def test_clearml(run, packages_of_loggers):
    task = packages_of_loggers['clearml'].Task
    run(ClearMLLoggerHook({'project_name': 'p'}, interval=2))
    task.init.assert_called_once_with(project_name='p')
    calls = task.init.return_value.get_logger.return_value.report_scalar.call_args_list
    assert [call.args[3] for call in calls if call.args[0] == 'learning_rate'] == STEPS
    assert all(call.args[0] == call.args[1] for call in calls)


def test_pavi(run, packages_of_loggers, tmp_path):
    writer = packages_of_loggers['pavi'].SummaryWriter
    run(PaviLoggerHook({'a': 1}, add_last_ckpt=True, interval=2),
        meta={'config_dict': {'lr': 0.1}})
    options = writer.call_args.kwargs
    assert json.loads(options.pop('session_text')) == {'lr': 0.1, 'max_iter': 8}
    assert options == {'name': 'work', 'model': 'ToyModel', 'a': 1}
    sent = writer.return_value.add_scalars.call_args_list
    assert [(call.args[0], call.args[2]) for call in sent] == [
        ('train', 2), ('train', 4), ('val', 1), ('train', 6), ('train', 8), ('val', 2)]
    assert sorted(sent[2].args[1]) == ['learning_rate', 'loss', 'momentum', 'size']
    writer.return_value.add_snapshot_file.assert_called_once_with(
        tag='work', snapshot_file_path=str(tmp_path / 'work/epoch_2.pth'), iteration=2)
    writer.return_value.close.assert_called_once_with()
    writer.return_value.add_graph.assert_not_called()


def test_pavi_sends_the_graph_once_and_each_checkpoint(packages_of_loggers, make_model, tmp_path):
    writer = packages_of_loggers['pavi'].SummaryWriter.return_value
    model = make_model()
    step = model.train_step
    model.train_step = lambda data, optimizer: step(data['pair'], optimizer)
    model.val_step = model.train_step
    loader = DataLoader([{'img': torch.ones(2), 'pair': (torch.ones(2), torch.ones(1))}])
    hook = PaviLoggerHook(add_graph=True, add_ckpt_kwargs={'active': True})
    runner = EpochBasedRunner(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
                              max_epochs=2, work_dir=tmp_path)
    runner.register_checkpoint_hook({'interval': 1, 'async_save': False})
    runner.register_hook(hook, 'VERY_LOW')
    runner.run([loader], [('train', 1)])
    (sent, images), = [call.args for call in writer.add_graph.call_args_list]
    assert sent is model
    assert images.shape == (1, 2)
    assert [call.kwargs['iteration'] for call in writer.add_snapshot_file.call_args_list] == [1, 2]


@pytest.mark.parametrize(('kind', 'package'), [
    (WandbLoggerHook, 'wandb'), (MlflowLoggerHook, 'mlflow'), (NeptuneLoggerHook, 'neptune'),
    (DvcliveLoggerHook, 'dvclive'), (SegmindLoggerHook, 'segmind'), (ClearMLLoggerHook, 'clearml'),
    (SwanlabLoggerHook, 'swanlab')])
def test_a_missing_package_is_named(kind, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=(
            f'{kind.__name__} in log_config needs {package}.* pip install {package}')):
        kind()


def test_pavi_is_missing_when_the_run_begins(make_runner, make_loader, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pavi', None)
    runner = make_runner()
    runner.register_hook(PaviLoggerHook())
    with pytest.raises(ImportError, match='pip install pavi'):
        runner.run([make_loader()], [('train', 1)])
