import numpy as np
import pytest

from mmcv_replace import dequantize, quantize
from mmcv_replace.utils.errors import ConfigError


def test_levels():
    values = np.array([-3, -1, -0.6, -0.5, 0, 0.49, 0.5, 1, 7])
    levels = quantize(values, -1, 1, 4)
    assert levels.tolist() == [0, 0, 0, 1, 2, 2, 3, 3, 3]
    assert levels.dtype == np.int64
    assert quantize(values, -1, 1, 4, dtype=np.uint8).dtype == np.uint8


def test_middles_of_levels():
    values = dequantize(np.arange(4), -1, 1, 4)
    assert values.tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert values.dtype == np.float64
    assert dequantize(np.arange(4), -1, 1, 4, dtype=np.float32).dtype == np.float32


def test_there_and_back():
    values = np.random.RandomState(0).uniform(-2, 3, (40, 50))
    back = dequantize(quantize(values, -1, 2, 100), -1, 2, 100)
    assert np.abs(back - values.clip(-1, 2)).max() <= 0.015 + 1e-12


@pytest.mark.parametrize('function', [quantize, dequantize])
def test_wrong_arguments_are_explained(function):
    for levels in (1, 0, 10.0, True):
        with pytest.raises(ConfigError, match='a whole number above 1'):
            function(np.zeros(3), 0, 1, levels)
    with pytest.raises(ConfigError, match='min_val=2 is not below max_val=2'):
        function(np.zeros(3), 2, 2, 5)
