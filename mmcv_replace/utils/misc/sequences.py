"""Sequences: checks and conversions of their items, cutting, joining."""
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from ..errors import ArgumentError, ConfigError


def is_str(x: object) -> bool:
    """Whether a value is a str."""
    return isinstance(x, str)


def is_seq_of(seq: object, expected_type: type | tuple[type, ...],
              seq_type: type | None = None) -> bool:
    """Whether a value is a sequence (of `seq_type`) whose items are all of `expected_type`."""
    if not isinstance(seq_type or Sequence, type):
        raise ArgumentError(f'seq_type is a class, not {seq_type!r}')
    return isinstance(seq, seq_type or Sequence) and all(
        isinstance(item, expected_type) for item in seq)


def is_list_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Whether a value is a list whose items are all of `expected_type`."""
    return is_seq_of(seq, expected_type, seq_type=list)


def is_tuple_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Whether a value is a tuple whose items are all of `expected_type`."""
    return is_seq_of(seq, expected_type, seq_type=tuple)


def iter_cast(inputs: Iterable[Any], dst_type: type,
              return_type: Callable[[Iterator[Any]], Any] | None = None) -> Any:
    """Convert each item by `dst_type`: an iterator, or what `return_type` makes of it."""
    if not isinstance(inputs, Iterable):
        raise ArgumentError(f'inputs is iterable, not {inputs!r}')
    if not isinstance(dst_type, type):
        raise ArgumentError(f'dst_type is a class, not {dst_type!r}')
    items = map(dst_type, inputs)
    return items if return_type is None else return_type(items)


def list_cast(inputs: Iterable[Any], dst_type: type) -> list[Any]:
    """A list of the items, each converted by `dst_type`."""
    return iter_cast(inputs, dst_type, list)


def tuple_cast(inputs: Iterable[Any], dst_type: type) -> tuple[Any, ...]:
    """A tuple of the items, each converted by `dst_type`."""
    return iter_cast(inputs, dst_type, tuple)


def slice_list(in_list: Sequence[Any], lens: int | list[int]) -> list[Sequence[Any]]:
    """Cut a list into pieces of the lengths `lens`, or all of the length `lens`.

    Raises ConfigError where the pieces do not add up to the list.
    """
    if isinstance(lens, int):
        if lens < 1 or len(in_list) % lens:
            raise ConfigError(f'a list of {len(in_list)} cannot be cut into pieces of {lens}')
        lens = [lens] * (len(in_list) // lens)
    if not is_list_of(lens, int):
        raise ArgumentError(f'lens is an int or a list of them, not {lens!r}')
    if sum(lens) != len(in_list):
        raise ConfigError(f'the pieces add up to {sum(lens)}, and the list has {len(in_list)}')
    pieces, start = [], 0
    for length in lens:
        pieces.append(in_list[start:start + length])
        start += length
    return pieces


def concat_list(in_list: Iterable[Iterable[Any]]) -> list[Any]:
    """The items of several lists in one."""
    return list(chain.from_iterable(in_list))


def to_ntuple(n: int) -> Callable[[Any], Any]:
    """A function that repeats a value `n` times in a tuple and leaves what is iterable as it is."""
    def to_tuple(x: Any) -> Any:
        return x if isinstance(x, Iterable) else tuple(repeat(x, n))

    return to_tuple


to_1tuple, to_2tuple, to_3tuple, to_4tuple = map(to_ntuple, (1, 2, 3, 4))
