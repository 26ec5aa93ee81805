import numpy as np
import pytest

from mmcv_replace.image import cutout, imcrop
from mmcv_replace.utils.errors import ConfigError

IMG = np.arange(1, 121, dtype=np.uint8).reshape(10, 12)


def box(changed):
    """(top, left, bottom, right) of the changed pixels, which fill it."""
    rows, columns = np.nonzero(changed)
    found = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    assert changed[found[0]:found[2], found[1]:found[3]].all()
    return found


@pytest.mark.parametrize('shape', [3, (2, 5)])
def test_a_box_around_a_random_pixel_is_filled(shape):
    height, width = (shape, shape) if isinstance(shape, int) else shape
    seen = set()
    for seed in range(40):
        np.random.seed(seed)
        y, x = np.random.uniform(10), np.random.uniform(12)
        np.random.seed(seed)
        result = cutout(IMG, shape, 200)
        top, left, bottom, right = box(result != IMG)
        assert (result[result != IMG] == 200).all()
        assert top == int(max(0, y - height / 2))
        assert left == int(max(0, x - width / 2))
        assert (bottom, right) == (min(10, top + height), min(12, left + width))
        seen.add((top, left))
    assert len(seen) > 20
    assert IMG.max() == 120  # the image itself stays


def test_all_or_nothing():
    np.testing.assert_array_equal(cutout(IMG, 0), IMG)
    assert not cutout(IMG, 40).any()


def test_each_channel_has_its_filling():
    result = cutout(np.dstack([IMG] * 3), 40, (201, 202, 203))
    assert (result == (201, 202, 203)).all()


@pytest.mark.parametrize(('args', 'kind', 'message'), [
    ((2.5,), AssertionError, 'a whole number or a tuple of two'),
    (((1, 2, 3),), AssertionError, 'a whole number or a tuple of two'),
    ((1, (1, 2, 3)), AssertionError, 'has 3 values, and the image 1 channels'),
    ((1, None), TypeError, 'neither a number nor a tuple')])
def test_wrong_arguments_are_explained(args, kind, message):
    with pytest.raises(kind, match=message) as error:
        cutout(IMG, *args)
    assert isinstance(error.value, ConfigError)


@pytest.mark.parametrize('boxes', [[1, 1, 4], np.arange(8), np.zeros((1, 2, 4))])
def test_imcrop_refuses_what_is_no_box(boxes):
    with pytest.raises(ConfigError, match='imcrop: boxes of shape .*; they are'):
        imcrop(np.zeros((5, 5)), np.asarray(boxes))


@pytest.mark.parametrize(('channels', 'fill'), [(3, (1, 2)), (3, [1]), (1, (1, 2, 3))])
def test_imcrop_takes_a_filling_for_each_channel(channels, fill):
    img = np.dstack([IMG] * 3) if channels == 3 else IMG
    with pytest.raises(AssertionError, match=rf'{len(fill)} values, and .* {channels} channels'):
        imcrop(img, np.array([0, 0, 3, 3]), pad_fill=fill)
