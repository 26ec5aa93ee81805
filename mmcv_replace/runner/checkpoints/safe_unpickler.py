"""Objects of other packages in a checkpoint, read as plain data: no code of theirs runs.

torch's reader for weights builds nothing but tensors and plain values. For each class in
`SAFE_GLOBALS` it takes a stand-in from here, which keeps what the file says of an object;
`without_stand_ins` then puts plain values in their places. NumPy's own builders are not called
either: they trust a file to be right.
"""
import datetime
import math
import pickle
import re
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

# Booleans, integers, floats, complex numbers, text, bytes, records and times; no objects.
_NUMBER_CODE = re.compile(r'[biufcSUVmM]\d+')
_DATES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone)


class StandIn:
    """An object, as its pickle describes it: the arguments that made it, and its state."""

    def __new__(cls, *args: Any) -> Any:
        made = super().__new__(cls)
        made.args = args
        made.state = None
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def plain(self) -> Any:
        """The object as plain data, in which there may be further stand-ins."""
        raise NotImplementedError


class Attributes(StandIn):
    """An object that is no more than its attributes: a dict of them."""

    def plain(self) -> dict[str, Any]:
        return dict(self.state or {})


class Wrapped(StandIn):
    """UserDict and the like: what they wrap."""

    def plain(self) -> Any:
        return self.state['data']


class ConfigFile(StandIn):
    """A Config of mmcv or mmengine: its values."""

    def plain(self) -> Any:
        return self.state[0] if isinstance(self.state, tuple) else self.state['_cfg_dict']


class OwnConfig(StandIn):
    """A Config or ConfigDict of this package: the dict that makes it."""

    def plain(self) -> dict[str, Any]:
        return self.args[0]


class HistoryBuffer(StandIn):
    """The course of a logged number in mmengine: a dict with both of its arrays."""

    def plain(self) -> dict[str, Any]:
        return {'log_history': self.state['_log_history'],
                'count_history': self.state['_count_history'],
                'max_length': self.state['max_length']}


class DType(StandIn):
    """A type of NumPy numbers."""

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
    """A NumPy array; one of objects becomes nested lists."""

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
    """A NumPy number, as a number of Python."""
    if isinstance(content, str):
        content = content.encode('latin1')
    dtype = kind.dtype()
    if dtype.itemsize == 0:
        return dtype.type().item()
    [number] = np.frombuffer(content, dtype)
    return number.item()


class _Dict:
    """Makes a dict out of a dict of another kind; torch's reader fills it."""

    def __new__(cls, *args: Any) -> OrderedDict:
        # Not a dict: attributes that some of these have are set on it.
        return OrderedDict(args[0] if args and isinstance(args[0], dict) else ())


class _List:
    """Makes a list out of a deque; torch's reader fills it."""

    def __new__(cls, *args: Any) -> list:
        return list(args[0]) if args and isinstance(args[0], list | tuple) else []


class _NoBytes:
    """What pickles of protocol 2 write for empty bytes: a call without arguments."""

    def __new__(cls) -> bytes:
        return b''


class _PosixPath:
    def __new__(cls, *parts: str) -> str:
        return str(PurePosixPath(*parts))


class _WindowsPath:
    def __new__(cls, *parts: str) -> str:
        return str(PureWindowsPath(*parts))


def _method(owner: Any, name: str) -> str:
    """What mmengine writes for the methods by which a HistoryBuffer is averaged: their names."""
    if owner is not HistoryBuffer or not isinstance(name, str):
        raise pickle.UnpicklingError('GLOBAL getattr')
    return name


_STAND_INS = {
    Attributes: ('argparse.Namespace', 'types.SimpleNamespace'),
    Wrapped: ('collections.UserDict', 'collections.UserList', 'collections.UserString'),
    ConfigFile: ('mmcv.utils.config.Config', 'mmengine.config.config.Config'),
    # The latter two are of files written before utils/config was a folder.
    OwnConfig: ('mmcv_replace.utils.config.config.Config',
                'mmcv_replace.utils.config.config_dict.ConfigDict',
                'mmcv_replace.utils.config.Config', 'mmcv_replace.utils.config_dict.ConfigDict'),
    HistoryBuffer: ('mmengine.logging.history_buffer.HistoryBuffer',),
    _method: ('builtins.getattr',),
    DType: ('numpy.dtype',),
    Array: ('numpy.core.multiarray._reconstruct', 'numpy._core.multiarray._reconstruct'),
    _scalar: ('numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar'),
    _Dict: ('collections.defaultdict', 'addict.addict.Dict', 'mmcv.utils.config.ConfigDict',
            'mmengine.config.config.ConfigDict', 'yacs.config.CfgNode',
            'lightning.fabric.utilities.data.AttributeDict',
            'lightning_fabric.utilities.data.AttributeDict',
            'pytorch_lightning.utilities.parsing.AttributeDict'),
    _List: ('collections.deque',),
    _NoBytes: ('builtins.bytes',),
    # Python 3.13 keeps the classes of paths elsewhere.
    _PosixPath: tuple(f'{module}.{name}' for module in ('pathlib', 'pathlib._local')
                      for name in ('PosixPath', 'PurePosixPath', 'Path', 'PurePath')),
    _WindowsPath: tuple(f'{module}.{name}' for module in ('pathlib', 'pathlib._local')
                        for name in ('WindowsPath', 'PureWindowsPath')),
}


class _NDArray(StandIn):
    """Names the class of an array; nothing is made of it."""


# For `torch.serialization.safe_globals`. The plain classes are those that defaultdict calls.
SAFE_GLOBALS = [*((stand_in, name) for stand_in, names in _STAND_INS.items() for name in names),
                (_NDArray, 'numpy.ndarray'), *_DATES,
                *((kind, f'builtins.{kind.__name__}')
                  for kind in (bool, int, float, str, tuple, list, dict, frozenset))]


def without_stand_ins(value: Any) -> Any:
    """The value with plain data in the place of each stand-in; dicts and lists stay themselves."""
    return _Replacement().of(value)


class _Replacement:
    """One pass over a value; things that it holds several times are seen once."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._seen: list[Any] = []  # which keeps the identities above from being used again

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
                self._done[id(value)] = None  # for one that holds itself
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
