"""Masks, scores and threads that write them."""
import errno
import time

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import Prediction, Sink, run_sinks
from mmseg.prediction.sinks import InThreads, Tell, WriteMasks, WriteScores


def prediction(index=0, dtype=np.uint8, top=3, scores=None):
    rng = np.random.default_rng(index)
    return Prediction(index, rng.integers(0, top, (4, 5)).astype(dtype), {}, scores)


def test_masks_have_the_numbers_and_the_colours(tmp_path):
    palette = np.array([[1, 2, 3], [40, 50, 60], [7, 8, 9]], np.uint8)
    one = prediction()
    one.seg_map[0, 0] = 255
    WriteMasks(lambda each: tmp_path / f'{each.index}.png', palette).add(one)
    with Image.open(tmp_path / '0.png') as image:
        assert image.mode == 'P'
        np.testing.assert_array_equal(np.array(image), one.seg_map)
        assert image.getpalette()[:9] == palette.ravel().tolist()


def test_masks_of_more_classes_than_a_palette_has(tmp_path):
    one = prediction(dtype=np.int32, top=60000)
    WriteMasks(lambda each: tmp_path / 'x.png', np.zeros((3, 3), np.uint8)).add(one)
    with Image.open(tmp_path / 'x.png') as image:
        np.testing.assert_array_equal(np.array(image), one.seg_map)
    assert one.seg_map.max() > 256


@pytest.mark.parametrize('kind', ['probabilities', 'confidence'])
def test_scores_in_half_precision(tmp_path, kind):
    shape = (3, 4, 5) if kind == 'probabilities' else (4, 5)
    scores = np.random.default_rng(0).random(shape).astype(np.float32)
    WriteScores(lambda each: tmp_path / 'x.npz', kind, ['a', '车', 'c']).add(
        prediction(scores=scores))
    with np.load(tmp_path / 'x.npz', allow_pickle=False) as stored:
        assert sorted(stored) == sorted(['classes', kind])
        assert stored['classes'].tolist() == ['a', '车', 'c']
        np.testing.assert_array_equal(stored[kind], scores.astype(np.float16))


def test_there_may_be_no_place(tmp_path):
    for sink in (WriteMasks(lambda each: None, []), WriteScores(lambda each: None, 'x', [])):
        sink.add(prediction())


class Slow(Sink):
    """Of which the later predictions are done first, unless they have to wait."""

    def __init__(self):
        self.begun, self.done, self.ends = [], [], []

    def add(self, prediction):
        self.begun.append(prediction.index)
        time.sleep(0.01 if prediction.index % 2 == 0 else 0)
        self.done.append(prediction.index)

    def finish(self):
        self.ends.append('finish')

    def close(self):
        self.ends.append('close')


def test_what_comes_then_comes_in_order():
    slow, after = Slow(), []
    then = Tell(lambda each: after.append((each.index, each.index in slow.done)))
    run_sinks((prediction(index) for index in range(12)), [InThreads([slow], [then], 3, 4)])
    assert after == [(index, True) for index in range(12)]
    assert slow.ends == ['finish', 'close']


def test_predictions_do_not_pile_up():
    slow, most = Slow(), []

    def stream():
        for index in range(30):
            most.append(index - len(slow.done))
            yield prediction(index)

    run_sinks(stream(), [InThreads([slow], [], 1, 4)])
    assert max(most) <= 4 + 2


def test_a_full_disk_ends_the_run():
    class Full(Slow):
        def add(self, prediction):
            super().add(prediction)
            if prediction.index == 3:
                raise OSError(errno.ENOSPC, 'No space left on device')

    full, after = Full(), []
    with pytest.raises(DataError, match=r'cannot write what was predicted for sample_3\.png: No '
                       'space left on device; mend that, and go on with --skip-existing'):
        run_sinks((prediction(index) for index in range(100)),
                  [InThreads([full], [Tell(lambda each: after.append(each.index))], 1, 2)])
    assert after == [0, 1, 2]
    assert len(full.begun) < 10
    assert full.ends == ['close']
