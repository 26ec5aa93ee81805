import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines.checks import check_fill, check_names, check_numbers, check_size

NAN = float('nan')


@pytest.mark.parametrize('size', [(1, 1), [512, 1024], (32767, 1)])
def test_sizes(size):
    check_size('Step', 'size', size)


@pytest.mark.parametrize('size', [(0, 1), (1,), (1, 2, 3), (1.0, 2), 'ab', 3, None, (40000, 1)])
def test_wrong_sizes(size):
    with pytest.raises(ConfigError, match='Step: size=.*give two whole numbers from 1 to 32767'):
        check_size('Step', 'size', size)


@pytest.mark.parametrize(('value', 'count', 'limits'), [
    (0.5, None, {}), (3, None, dict(least=3)), ((1, 2), 2, dict(most=2)), ([1], 1, {})])
def test_numbers(value, count, limits):
    check_numbers('Step', 'x', value, count, **limits)


@pytest.mark.parametrize(('value', 'count', 'limits', 'message'), [
    (NAN, None, {}, r'Step: x=nan: give a number$'), (float('inf'), None, {}, 'give a number'),
    ('1', None, {}, "x='1'"), ((1, 2), None, {}, 'give a number'), (1, 2, {}, 'give 2 numbers'),
    ((1, NAN), 2, {}, 'give 2 numbers'), ((1, 2, 3), 2, {}, '2 numbers'),
    (2, None, dict(least=3), 'a number from 3$'), (9, None, dict(least=0, most=1), 'from 0 to 1$')])
def test_wrong_numbers(value, count, limits, message):
    with pytest.raises(ConfigError, match=message):
        check_numbers('Step', 'x', value, count, **limits)


@pytest.mark.parametrize('value', [0, (1, 2, 3), [1.5], (0, 0, 0, 0), (1, 2), (1,) * 5])
def test_fills(value):
    check_fill('Step', 'pad_val', value)


@pytest.mark.parametrize('value', [NAN, 'x', (1, 2, NAN), ()])
def test_wrong_fills(value):
    with pytest.raises(ConfigError, match='Step: pad_val='):
        check_fill('Step', 'pad_val', value)


def test_names():
    check_names('Step', 'keys', ['img'])
    for value in ('img', ['img', 1], None):
        with pytest.raises(ConfigError, match="Step: keys=.*such as \\['img'\\]"):
            check_names('Step', 'keys', value)
