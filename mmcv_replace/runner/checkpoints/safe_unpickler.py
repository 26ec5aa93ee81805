"""Reads objects of other packages in a checkpoint as plain data, without running their code.

torch's reader with `weights_only=True` builds tensors and plain values alone. For each class in
`SAFE_GLOBALS` it builds a stand-in instead, which keeps what the file stores of an object;
`without_stand_ins` then replaces it by plain values. NumPy's own builders are not called either,
since they do not check what they read.
"""
import datetime
import math
import pickle
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

# Booleans, integers, floats, complex numbers, text, bytes, records and times; no objects.
_NUMBER_CODE = re.compile(r'[biufcSUVmM]\d+')
_DATES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone)


class StandIn:
    """What a pickle stores of an object: the arguments of its constructor, and its state."""

    def __new__(cls, *args: Any) -> Any:
        made = super().__new__(cls)
        made.args = args
        made.state = None
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def plain(self) -> Any:
        """The object as plain data, which may contain further stand-ins."""
        raise NotImplementedError


def _stand_in(plain: Callable[[Any], Any]) -> type[StandIn]:
    """A stand-in for objects that become `plain(stand_in)`."""
    return type('StandIn', (StandIn,), {'plain': plain})


# The history of a logged number in mmengine. What another version calls by other names is left
# out: a history must not keep anybody from the weights beside it.
_HistoryBuffer = _stand_in(lambda made: {
    name.removeprefix('_'): made.state[name]
    for name in ('_log_history', '_count_history', 'max_length')
    if isinstance(made.state, dict) and name in made.state})


class DType(StandIn):
    """A dtype of NumPy: becomes its name."""

    def plain(self) -> str:
        return str(self.dtype())

    @property
    def of_objects(self) -> bool:
        return str(self.args[0]) in ('O', 'O8')

    def dtype(self) -> np.dtype:
        code = str(self.args[0])
        _, order, _, names, fields, size = (self.state or (3, '=', None, None, None, -1))[:6]
        if names:
            return np.dtype(dict(names=list(names), formats=[fields[n][0].dtype() for n in names],
                                 offsets=[fields[n][1] for n in names], itemsize=size))
        if not _NUMBER_CODE.fullmatch(code):
            raise ValueError(f'NumPy data of the type {code!r}')
        if code[0] in 'mM':
            unit, count = self.state[8][1][:2]
            code += f'[{count}{unit.decode() if isinstance(unit, bytes) else unit}]'
        return np.dtype(code).newbyteorder('=' if order == '|' else order)


class Array(StandIn):
    """A NumPy array; an array of objects becomes nested lists."""

    def plain(self) -> np.ndarray | list[Any]:
        _, shape, kind, by_column, content = self.state
        if kind.of_objects:
            return self._nested(shape, by_column, content)
        if isinstance(content, str):
            content = content.encode('latin1')
        found = np.frombuffer(bytearray(content), kind.dtype()) if content else np.zeros(
            0, kind.dtype())
        return found.reshape(shape, order='F' if by_column else 'C')

    def _nested(self, shape: Sequence[int], by_column: bool, content: list[Any]) -> list[Any]:
        if len(content) != math.prod(shape):
            raise ValueError(f'an array of the shape {shape} with {len(content)} objects')
        objects = np.empty(len(content), object)
        objects[:] = content
        return objects.reshape(shape, order='F' if by_column else 'C').tolist()


def _scalar(kind: DType, content: bytes | str) -> Any:
    """The Python number for a NumPy scalar."""
    if isinstance(content, str):
        content = content.encode('latin1')
    dtype = kind.dtype()
    if dtype.itemsize == 0:
        return dtype.type().item()
    [number] = np.frombuffer(content, dtype)
    return number.item()


class _Dict:
    """Stands for other classes of dicts; torch's reader fills it."""

    def __new__(cls, *args: Any) -> OrderedDict:
        # Not a dict, since attributes may be set on it.
        return OrderedDict(args[0] if args and isinstance(args[0], dict) else ())


def _list(*args: Any) -> list[Any]:
    """Stands for deque; torch's reader fills it."""
    return list(args[0]) if args and isinstance(args[0], list | tuple) else []


def _method(owner: Any, name: str) -> str:
    """Stands for getattr, by which mmengine refers to the methods of HistoryBuffer: their names."""
    if owner is not _HistoryBuffer or not isinstance(name, str):
        raise pickle.UnpicklingError('GLOBAL getattr')
    return name


_STAND_INS = {
    # Objects that hold nothing but attributes.
    _stand_in(lambda made: dict(made.state or {})): ('argparse.Namespace', 'types.SimpleNamespace'),
    _stand_in(lambda made: made.state['data']): (
        'collections.UserDict', 'collections.UserList', 'collections.UserString'),
    _stand_in(lambda made: made.state[0] if isinstance(made.state, tuple)
              else made.state['_cfg_dict']): (
        'mmcv.utils.config.Config', 'mmengine.config.config.Config'),
    # The latter two occur in files written before utils/config was a folder.
    _stand_in(lambda made: made.args[0]): (
        'mmcv_replace.utils.config.config.Config',
        'mmcv_replace.utils.config.config_dict.ConfigDict',
        'mmcv_replace.utils.config.Config', 'mmcv_replace.utils.config_dict.ConfigDict'),
    _HistoryBuffer: ('mmengine.logging.history_buffer.HistoryBuffer',),
    _method: ('builtins.getattr',),
    DType: ('numpy.dtype',),
    Array: ('numpy.core.multiarray._reconstruct', 'numpy._core.multiarray._reconstruct'),
    _scalar: ('numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar'),
    _Dict: ('collections.defaultdict', 'addict.addict.Dict', 'mmcv.utils.config.ConfigDict',
            'mmengine.config.config.ConfigDict', 'yacs.config.CfgNode',
            'lightning.fabric.utilities.data.AttributeDict',
            'lightning_fabric.utilities.data.AttributeDict',
            'pytorch_lightning.utilities.parsing.AttributeDict'),
    _list: ('collections.deque',),
    lambda: b'': ('builtins.bytes',),  # `bytes()`: pickles of protocol 2 encode empty bytes so
    # Python 3.13 defines paths in pathlib._local.
    lambda *parts: str(PurePosixPath(*parts)): tuple(
        f'{module}.{name}' for module in ('pathlib', 'pathlib._local')
        for name in ('PosixPath', 'PurePosixPath', 'Path', 'PurePath')),
    lambda *parts: str(PureWindowsPath(*parts)): tuple(
        f'{module}.{name}' for module in ('pathlib', 'pathlib._local')
        for name in ('WindowsPath', 'PureWindowsPath')),
    StandIn: ('numpy.ndarray',),  # the class itself, an argument of `Array`
}
# For `torch.serialization.safe_globals`. The plain classes are those that defaultdict calls.
SAFE_GLOBALS = [*((stand_in, name) for stand_in, names in _STAND_INS.items() for name in names),
                *_DATES, *((kind, f'builtins.{kind.__name__}')
                           for kind in (bool, int, float, str, tuple, list, dict, frozenset))]


def without_stand_ins(value: Any) -> Any:
    """The value with each stand-in replaced by plain data; dicts and lists are changed in place."""
    return _Replacement().of(value)


class _Replacement:
    """One pass over a value, in which shared parts are visited once."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._seen: list[Any] = []  # kept alive, so that the ids above stay unique

    def of(self, value: Any) -> Any:
        if isinstance(value, datetime.timedelta):
            return value.total_seconds()
        if isinstance(value, _DATES):
            return str(value)
        if not isinstance(value, (StandIn, dict, list, tuple)):
            return value
        if id(value) not in self._done:
            self._seen.append(value)
            if isinstance(value, StandIn):
                self._done[id(value)] = None  # for one that contains itself
                self._done[id(value)] = self.of(value.plain())
            else:
                self._done[id(value)] = value
                self._done[id(value)] = self._container(value)
        return self._done[id(value)]

    def _container(self, value: dict | list | tuple) -> Any:
        if type(value) is tuple:
            items = tuple(self.of(item) for item in value)
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        if type(value) in (dict, OrderedDict, Counter):
            pairs = list(value.items())
        elif type(value) is list:
            pairs = list(enumerate(value))
        else:
            return value
        for key, item in pairs:
            new = self.of(item)
            if new is not item:
                value[key] = new
        return value
