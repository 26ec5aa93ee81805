"""Pictures, settings and scores of classes in TensorBoard, as its own reader finds them."""
import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('tensorboard')

from mmcv_replace.runner.hooks import TensorboardLoggerHook  # noqa: E402
from mmcv_replace.utils.errors import ConfigError  # noqa: E402

META = {'run_id': 'abc', 'config': 'lr = 0.1\nmodel = dict(depth=18, name="道路")\n',
        'env_info': 'Python: 3'}


@pytest.fixture
def read(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def events():
        found = EventAccumulator(str(tmp_path / 'work/tf_logs'), {'images': 0, 'scalars': 0})
        found.Reload()
        return found
    return events


def test_pictures_and_scores_of_classes(train, evaluate_at, read):
    train(TensorboardLoggerHook(interval=2, by_epoch=False, class_scores=True),
          evaluation=evaluate_at(2, 4))
    events = read()
    assert set(events.Tags()['images']) == {'pictures/x.jpg', 'pictures/y.jpg', 'confusion_matrix'}
    assert [image.step for image in events.Images('pictures/y.jpg')] == [2, 4]
    drawn = Image.open(io.BytesIO(events.Images('pictures/y.jpg')[0].encoded_image_string))
    np.testing.assert_array_equal(np.array(drawn), np.full((4, 6, 3), 20))
    assert [(e.step, e.value) for e in events.Scalars('val_Acc/道路 (x)')] == [(2, 0.75), (4, 0.75)]
    assert [e.step for e in events.Scalars('val/loss')] == [2, 4]


def test_settings(train, evaluate_at, read):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    train(TensorboardLoggerHook(interval=2, by_epoch=False), evaluation=evaluate_at(4), meta=META)
    events = read()
    text = events.Tensors('config.py/text_summary')[0].tensor_proto.string_val[0].decode()
    assert text == '    lr = 0.1\n    model = dict(depth=18, name="道路")'
    plugin = HParamsPluginData.FromString(
        events.SummaryMetadata('_hparams_/session_start_info').plugin_data.content)
    values = {name: value.WhichOneof('kind') and getattr(value, value.WhichOneof('kind'))
              for name, value in plugin.session_start_info.hparams.items()}
    assert values == {'lr': 0.1, 'model.depth': 18, 'model.name': '道路'}


def test_checkpoints_are_refused():
    with pytest.raises(ConfigError, match='log_checkpoint: TensorBoard keeps no files'):
        TensorboardLoggerHook(log_checkpoint='best')


@pytest.mark.parametrize('option', ['pictures', 'confusion_matrix'])
def test_pictures_are_left_out(train, evaluate_at, read, option):
    train(TensorboardLoggerHook(interval=2, by_epoch=False, **{option: False}),
          evaluation=evaluate_at(4))
    assert not any(name.startswith(option) for name in read().Tags()['images'])


def test_a_resumed_run_goes_on(train, read, tmp_path):
    train(TensorboardLoggerHook(interval=2, by_epoch=False), meta=META)
    train(TensorboardLoggerHook(interval=2, by_epoch=False), meta=META, length=6,
          then=lambda runner: runner.resume(tmp_path / 'work/iter_2.pth'))
    assert [event.step for event in read().Scalars('train/loss')] == [2, 4, 6]
