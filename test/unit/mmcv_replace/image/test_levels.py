import numpy as np
import pytest

from mmcv_replace.image import iminvert, lut_transform
from mmcv_replace.utils.errors import ConfigError


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
def test_iminvert(photo, dtype):
    inverted = iminvert(photo.astype(dtype))
    assert inverted.dtype == dtype
    np.testing.assert_array_equal(inverted, 255 - photo.astype(int))


def test_a_table_has_256_entries(photo):
    for table in (list(range(256)), np.arange(257), np.zeros((1, 256))):
        with pytest.raises(ConfigError, match=r'a table is an array \[256\]'):
            lut_transform(photo, table)


def test_iminvert_refuses_what_a_byte_cannot_hold():
    with pytest.raises(ConfigError, match='iminvert needs values from 0 to 255'):
        iminvert(np.array([[256]]))
