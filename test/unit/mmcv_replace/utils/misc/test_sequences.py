import pytest

from mmcv_replace.utils import (
    concat_list,
    is_list_of,
    is_seq_of,
    is_str,
    is_tuple_of,
    iter_cast,
    list_cast,
    misc,
    slice_list,
    to_2tuple,
    to_ntuple,
    tuple_cast,
)
from mmcv_replace.utils.errors import ArgumentError, ConfigError


def test_sequence_checks():
    assert is_str('a')
    assert not is_str(b'a')
    assert is_seq_of([1, 2], int)
    assert is_seq_of((1, 'a'), (int, str))
    assert is_seq_of([], int)
    assert not is_seq_of([1, 'a'], int)
    assert not is_seq_of({1, 2}, int)
    assert not is_seq_of(1, int)
    assert is_list_of([1], int)
    assert not is_list_of((1,), int)
    assert is_tuple_of((1,), int)
    assert not is_tuple_of([1], int)
    with pytest.raises(ArgumentError, match='seq_type is a class, not 3'):
        is_seq_of([1], int, 3)


def test_conversions():
    assert list_cast(['1.5', 2], float) == [1.5, 2.0]
    assert tuple_cast(range(3), str) == ('0', '1', '2')
    assert iter_cast('12', int, set) == {1, 2}
    assert next(iter_cast([1, 2], str)) == '1'


def test_what_cannot_be_converted():
    with pytest.raises(TypeError, match='inputs is iterable, not 1'):
        iter_cast(1, str)
    with pytest.raises(TypeError, match="dst_type is a class, not ''"):
        iter_cast([1], '')


def test_pieces():
    values = list(range(6))
    assert slice_list(values, [1, 2, 3]) == [[0], [1, 2], [3, 4, 5]]
    assert slice_list(values, 3) == [[0, 1, 2], [3, 4, 5]]
    assert slice_list(tuple(values), [2, 4]) == [(0, 1), (2, 3, 4, 5)]
    assert concat_list(slice_list(values, 2)) == values


@pytest.mark.parametrize(('lens', 'error', 'message'), [
    (2.0, TypeError, 'an int or a list of them, not 2.0'),
    ((1, 2), TypeError, 'an int or a list of them'),
    ([1, 1], ValueError, 'add up to 2, and the list has 3'),
    (2, AssertionError, 'a list of 3 cannot be cut into pieces of 2'),
    (0, AssertionError, 'cannot be cut into pieces of 0'),
])
def test_pieces_that_do_not_fit(lens, error, message):
    with pytest.raises(error, match=message) as caught:
        slice_list([1, 2, 3], lens)
    assert isinstance(caught.value, (ConfigError, ArgumentError))


def test_repeated_values():
    assert to_2tuple(3) == (3, 3)
    assert to_2tuple([1]) == [1]
    assert to_ntuple(3)(None) == (None,) * 3


def test_misc_has_the_same_functions():
    assert misc.slice_list is slice_list
    assert all(callable(getattr(misc, name)) for name in misc.__all__)
