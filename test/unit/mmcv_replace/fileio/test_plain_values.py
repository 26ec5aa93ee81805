import json

import numpy as np
import pytest

from mmcv_replace.fileio.plain_values import decode, encode


@pytest.mark.parametrize('value', [
    None, True, 3, -2**70, 0.1, float('inf'), 'grün', [], [1, [2]], (), (1, 'a', (2.5, None)),
    {}, {'a': (1, 2), 'b': {'c': [3]}}, {3: 4, -1: 'x'}, {(1, 2): 'pair'}, {'!': 1, 'of': 2},
    np.float32(0.1), np.int64(7), np.bool_(True), np.array([1.5, 2], np.float32), np.array(3),
    np.arange(6, dtype='>u2').reshape(2, 3), np.zeros((0, 4), np.int8), np.arange(6)[::2],
    [np.array([1 + 2j])], {'mean': np.ones(3, np.float32), 'to_rgb': False}])
def test_values_come_back_as_they_were(value):
    found = decode(json.loads(json.dumps(encode(value))))

    assert type(found) is type(value)
    np.testing.assert_equal(found, value)
    if isinstance(value, np.ndarray | np.generic):
        assert found.dtype == value.dtype
        assert found.shape == value.shape


def test_arrays_can_be_written_to():
    decode(encode(np.zeros(3)))[:] = 1


@pytest.mark.parametrize(('value', 'name'), [
    (object(), 'object'), ([{1}], 'set'), ({'a': b'x'}, 'bytes'), (np.array(['a']), 'ndarray'),
    (np.array([None]), 'ndarray'), ({'a': {object(): 1}}, 'object'),
    (np.zeros(2, [('a', 'u1')]), 'ndarray')])
def test_others_are_refused(value, name):
    with pytest.raises(TypeError, match=f'^{name} is no number, text'):
        encode(value)
