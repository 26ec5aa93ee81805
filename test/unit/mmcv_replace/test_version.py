import pytest

import mmcv_replace
from mmcv_replace import parse_version_info, version_info
from mmcv_replace.utils.errors import ConfigError


def test_version_of_the_interface():
    assert version_info == (1, 7, 2)
    assert mmcv_replace.__version__ == '1.7.2'


@pytest.mark.parametrize(('text', 'parts'), [
    ('0.2.16', (0, 2, 16, 0, 0, 0)), ('1.2.3rc1', (1, 2, 3, 0, 'rc', 1)),
    ('1.0a2', (1, 0, 0, 0, 'a', 2)), ('1.0b0', (1, 0, 0, 0, 'b', 0)),
    ('1.0.post3', (1, 0, 0, 0, 0, 0)),
])
def test_parts(text, parts):
    assert parse_version_info(text) == parts


def test_length():
    assert parse_version_info('1.2.3rc4', 2) == (1, 2, 'rc', 4)


def test_no_version():
    with pytest.raises(ConfigError, match='is not a version'):
        parse_version_info('new')
