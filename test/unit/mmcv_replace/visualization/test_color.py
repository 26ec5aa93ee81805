import numpy as np
import pytest

from mmcv_replace import Color, color_val
from mmcv_replace.utils.errors import ConfigError


def test_colors():
    assert color_val('green') == color_val(Color.green) == (0, 255, 0)
    assert color_val('yellow') == (0, 255, 255)
    assert color_val((1, 2, 3)) == color_val(np.array([1, 2, 3])) == (1, 2, 3)
    assert color_val(7) == (7, 7, 7)
    assert len(Color) == 8


@pytest.mark.parametrize(('color', 'kind'), [
    ('Green', KeyError), ([1, 2, 3], TypeError), (1.0, TypeError), (None, TypeError),
    ((0, 0, 500), AssertionError), ((1, 2), AssertionError), (-1, AssertionError),
    (256, AssertionError), (np.zeros(4), AssertionError), (np.array([0, 0, 256]), AssertionError)])
def test_what_is_no_colour(color, kind):
    with pytest.raises(kind, match='colour') as error:
        color_val(color)
    assert isinstance(error.value, ConfigError)
