"""Numbers of channels, against values written down from the papers' networks."""
import pytest

from mmseg.models.utils import make_divisible


@pytest.mark.parametrize(('args', 'expected'), [
    ((10, 4), 12), ((9.9, 4), 12), ((9, 4), 12), ((32 * 0.75, 8), 24), ((3, 8), 8),
    ((10, 4, 16), 16), ((11, 8), 16), ((11, 8, None, 0.5), 8), ((8.9, 8, None, 0.5), 8)])
def test_value(args, expected):
    assert make_divisible(*args) == expected
