import pytest
import torch

from mmcv_replace.utils import TORCH_VERSION, digit_version
from mmcv_replace.utils.errors import ConfigError


def test_versions_sort_as_released():
    released = ['0.9', '1.3.0.dev20200101', '1.3.0a1', '1.3.0b2', '1.3.0rc1', '1.3.0rc2', '1.3',
                '1.3.0.post1', '1.3.1', '1.10.0', '2.0']
    assert sorted(released, key=digit_version) == released


@pytest.mark.parametrize(('text', 'digits'), [
    ('1.2.7', (1, 2, 7, 0, 0, 0)), ('2.13.0+cpu', (2, 13, 0, 0, 0, 0)),
    ('1.3.0rc1', (1, 3, 0, 0, -1, 1)), ('v1.4', (1, 4, 0, 0, 0, 0)),
])
def test_digits(text, digits):
    assert digit_version(text) == digits


def test_length():
    assert digit_version('1.2.3.4.5', length=2) == (1, 2, 0, 0)


def test_torch_version():
    assert torch.__version__ == TORCH_VERSION
    assert digit_version(TORCH_VERSION) >= digit_version('2.6')


def test_no_version():
    with pytest.raises(ConfigError, match="'unknown' is not a version"):
        digit_version('unknown')
