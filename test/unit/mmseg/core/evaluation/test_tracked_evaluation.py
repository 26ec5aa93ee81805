"""Real evaluations in trackers: MMSegWandbHook with a stand-in for wandb, TensorBoard as it is."""
import io
import sys
from unittest.mock import MagicMock

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.runner import HOOKS
from mmcv_replace.runner.hooks import TensorboardLoggerHook
from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.errors import ArgumentError
from mmseg.core import EvalHook
from mmseg.core.evaluation.evidence import FixedPicture, PackedMap, SampleScore


@pytest.fixture
def wandb(monkeypatch, tmp_path):
    package = MagicMock(name='wandb')
    package.setup.return_value.settings.configure_mock(mode='offline', api_key=None)
    package.run.configure_mock(id='abc', dir=str(tmp_path), offline=True)
    monkeypatch.setitem(sys.modules, 'wandb', package)
    return package


@pytest.fixture
def train(make_runner, make_loader, train_loader):
    def run(hook, length=4, **options):
        evaluation = EvalHook(make_loader(2), interval=2, save_best=None, **options)
        runner = make_runner(evaluation, length)
        runner.register_optimizer_hook({})
        runner.register_checkpoint_hook({'interval': 2, 'by_epoch': False, 'async_save': False})
        runner.register_hook(hook, 'VERY_LOW')
        runner.run([train_loader], [('train', 1)])
    return run


def build(**options):
    return build_from_cfg(dict(type='MMSegWandbHook', by_epoch=False, log_artifact=False,
                               interval=2, **options), HOOKS)


def logged(wandb, step):
    """What was logged at a step, and the order of it."""
    return [name for call in wandb.log.call_args_list if call.kwargs['step'] == step
            for name in call.args[0]]


@pytest.mark.parametrize(('options', 'count'), [
    ({}, 7), ({'num_eval_images': 5}, 5), ({'num_eval_images': 1}, 4), ({'num_eval_images': 0}, 0)])
def test_number_of_pictures(train, wandb, options, count):
    """All 7 by default, at least the 4 of `evaluation.pictures`."""
    train(build(**options))
    for step in (2, 4):
        names = logged(wandb, step)
        assert len([name for name in names if name.startswith('pictures/city/')]) == count
        assert {'confusion_matrix', 'val/mIoU', 'val/aAcc'} <= {*names}


@pytest.mark.parametrize('metadata', [False, True])
def test_each_checkpoint_is_sent(train, wandb, tmp_path, metadata):
    train(build(log_checkpoint=True, log_checkpoint_metadata=metadata, num_eval_images=0))
    sent = [call.kwargs['metadata'] for call in wandb.Artifact.call_args_list]
    assert [call.args for call in wandb.Artifact.return_value.add_file.call_args_list] == [
        (str(tmp_path / f'iter_{step}.pth'),) for step in (2, 4)]
    assert [call.kwargs['aliases'][0] for call in wandb.log_artifact.call_args_list] == [
        'iter_2', 'iter_4']
    if metadata:
        assert [facts['iter'] for facts in sent] == [2, 4]
        assert all({'mIoU', 'aAcc'} <= facts.keys() for facts in sent)
    else:
        assert sent == [{}, {}]


def test_no_checkpoint_without_being_asked(train, wandb):
    train(build())
    wandb.Artifact.assert_not_called()


def test_a_misspelt_option(wandb):
    with pytest.raises(ArgumentError, match="did you mean 'num_eval_images'"):
        build(num_eval_imges=3)


def test_tensorboard_shows_what_was_scored(train, dataset, tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    train(TensorboardLoggerHook(interval=2, by_epoch=False, class_scores=True), pictures=1)
    events = EventAccumulator(str(tmp_path / 'tf_logs'), {'images': 0})
    events.Reload()
    assert sorted(events.Tags()['images']) == ['confusion_matrix', 'pictures/city/3.png']
    assert 'val_Acc/sky' in events.Tags()['scalars']
    drawn = np.array(Image.open(io.BytesIO(
        events.Images('pictures/city/3.png')[1].encoded_image_string)))
    expected = FixedPicture(
        SampleScore(3, 'city/3.png', None, 0, 0), PackedMap.of(dataset.preds[3]),
        PackedMap.of(dataset.labels[3]), 255, dataset.CLASSES, dataset.PALETTE,
        load=lambda: dataset.get_original_image(3)).panels()
    np.testing.assert_array_equal(drawn, expected)
