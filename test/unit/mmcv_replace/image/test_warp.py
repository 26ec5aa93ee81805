import cv2
import numpy as np
import pytest

from mmcv_replace.image import imrotate, imshear, imtranslate
from mmcv_replace.image.geometric import cv2_border_modes
from mmcv_replace.utils.errors import ConfigError

SMALL = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)


@pytest.mark.parametrize(('mode', 'beyond'), [
    ('constant', [0, 0, 0]), ('replicate', [5, 5, 5]), ('reflect', [5, 4, 3]),
    ('wrap', [1, 2, 3]), ('reflect_101', [4, 3, 2])])
def test_border_mode(mode, beyond):
    # Half a turn around the last pixel of the row 1 to 5 shows what is right of it.
    row = np.array([[1, 2, 3, 4, 5]], np.uint8)
    turned = imrotate(row, 180, center=(4, 0), border_mode=mode)
    assert turned[0, 4] == 5
    shifted = cv2.copyMakeBorder(row, 0, 0, 0, 3, cv2_border_modes[mode])[0, 5:]
    assert shifted.tolist() == beyond
    far = imrotate(row, 180, center=(4.5, 0), border_mode=mode)
    assert far[0, 4] == beyond[0]


def test_a_number_fills_all_channels():
    img = np.zeros((3, 3, 3), np.uint8)
    for result in (imrotate(img, 45, border_value=99), imshear(img, 2, border_value=99),
                   imtranslate(img, 1, border_value=99)):
        assert result.any()
        assert (result == result[..., :1]).all()


@pytest.mark.parametrize(('args', 'expected'), [
    ((0,), SMALL), ((1,), [[1, 2, 3], [0, 4, 5], [0, 0, 7]]),
    ((-1, 'vertical'), [[1, 5, 9], [4, 8, 0], [7, 0, 0]]),
    ((1, 'vertical', 50), [[1, 50, 50], [4, 2, 50], [7, 5, 3]])])
def test_imshear(args, expected):
    np.testing.assert_array_equal(imshear(SMALL, *args), expected)
    color = imshear(np.dstack([SMALL] * 3), *args)
    np.testing.assert_array_equal(color, np.dstack([expected] * 3))


@pytest.mark.parametrize(('args', 'expected'), [
    ((0,), SMALL), ((1, 'horizontal', 50), [[50, 1, 2], [50, 4, 5], [50, 7, 8]]),
    ((-1, 'vertical'), [[4, 5, 6], [7, 8, 9], [0, 0, 0]]), ((5,), np.zeros((3, 3)))])
def test_imtranslate(args, expected):
    np.testing.assert_array_equal(imtranslate(SMALL, *args), expected)


def test_each_channel_has_its_filling():
    img = np.dstack([SMALL] * 3)
    assert imtranslate(img, 1, border_value=(10, 20, 30))[0, 0].tolist() == [10, 20, 30]
    assert imshear(img, 1, border_value=(10, 20, 30))[2, 0].tolist() == [10, 20, 30]


def test_interpolation():
    img = SMALL * 20
    np.testing.assert_array_equal(imtranslate(img, 0.25, interpolation='nearest'), img)
    np.testing.assert_array_equal(imtranslate(img, 0.25)[0], [15, 35, 55])
    assert not np.array_equal(imshear(SMALL, 0.4), imshear(SMALL, 0.4, interpolation='nearest'))


@pytest.mark.parametrize('call', [imshear, imtranslate])
def test_wrong_arguments_are_explained(call):
    for value in ([1, 2, 3], (1, 2), None):
        with pytest.raises(ConfigError, match='a tuple of 3 for the channels'):
            call(np.dstack([SMALL] * 3), 1, border_value=value)
    with pytest.raises(AssertionError, match=f"direction of {call.__name__} 'diagonal'"):
        call(SMALL, 1, 'diagonal')
    with pytest.raises(KeyError, match="border_mode 'x'"):
        imrotate(SMALL, 1, border_mode='x')
