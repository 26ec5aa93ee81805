"""Which methods of a dataset are its user's own: those are called, whatever they are there for."""
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import DataError
from mmseg.core.utils import nested_datasets

Method = TypeVar('Method', bound=Callable)
LabelGetter = Callable[[int], np.ndarray]

# Methods that give the labels; of those that one class overrides the first counts.
BY_INDEX = ('get_gt_seg_map', 'get_gt_seg_map_by_idx')
ALL_LABELS = 'get_gt_seg_maps'
_STANDARD: set[Callable] = set()


def standard(method: Method) -> Method:
    """Mark a method of our datasets, what it does being known: evaluation may go around it."""
    _STANDARD.add(method)
    return method


def is_own(dataset: Dataset, name: str) -> bool:
    """Whether a dataset has a method that is not one of ours, of its class or its very own."""
    method = getattr(dataset, name, None)
    return method is not None and getattr(method, '__func__', method) not in _STANDARD


def wants_predictions(dataset: Dataset) -> bool:
    """Whether the dataset, or one inside it, has an `evaluate` of its own, for all predictions."""
    return any(is_own(part, 'evaluate') for part in nested_datasets(dataset))


def wants_pre_eval(dataset: Dataset) -> bool:
    """Whether the dataset, or one inside it, has a `pre_eval` of its own, for each prediction."""
    return any(is_own(part, 'pre_eval') for part in nested_datasets(dataset))


def takes(method: Callable, name: str) -> bool:
    """Whether a method has a parameter of that name, or any."""
    parameters = inspect.signature(method).parameters
    return name in parameters or any(parameter.kind is parameter.VAR_KEYWORD
                                     for parameter in parameters.values())


def labels_of(dataset: Dataset, names: Sequence[str] = (*BY_INDEX, ALL_LABELS)) -> LabelGetter:
    """What gives a sample's label map [H, W]: of the methods `names` the most derived one."""
    own = [name for name in names if is_own(dataset, name)]
    if not own:
        make = getattr(dataset, 'label_getter', None)
        return dataset.get_gt_seg_map if make is None else make()
    name = min(own, key=lambda each: _depth(dataset, each))
    if name != BY_INDEX[0] and (getattr(dataset, 'label_map', None)
                                or getattr(dataset, 'reduce_zero_label', False)):
        warn_once(f'the label maps of {name}, which the dataset overrides, are scored as they are: '
                  'label_map, classes and reduce_zero_label are left to it; override '
                  'get_gt_seg_map(idx) and call mmseg.core.remap_labels to have them applied')
    method = getattr(dataset, name)
    return _InOrder(method) if name == ALL_LABELS else method


def _depth(dataset: Dataset, name: str) -> int:
    """How far up the classes a method is found; -1 for one of the object itself."""
    # Wrappers of a loader hand on what is asked of them.
    owner = getattr(getattr(dataset, name), '__self__', None)
    if owner is None or name in vars(owner):
        return -1
    classes = type(owner).__mro__
    return next((place for place, cls in enumerate(classes) if name in vars(cls)), len(classes))


class _InOrder:
    """Label maps by index, from a method that gives those of all samples one after the other."""

    def __init__(self, method: Callable[..., Any]) -> None:
        # 0.x passed it always.
        self._arguments = ({'efficient_test': False}
                           if 'efficient_test' in inspect.signature(method).parameters else {})
        self._method = method
        self._maps: Any = None
        self._next = 0  # index of the map that comes next

    def __call__(self, index: int) -> np.ndarray:
        if self._maps is None or (not self._at_hand() and index < self._next):
            self._maps = self._method(**self._arguments)
            if not self._at_hand():
                self._maps, self._next = iter(self._maps), 0
        if self._at_hand() and index < len(self._maps):
            return self._maps[index]
        if not self._at_hand():
            for label in self._maps:
                self._next += 1
                if self._next > index:
                    return label
        count = len(self._maps) if self._at_hand() else self._next
        raise DataError(f'get_gt_seg_maps, which the dataset overrides, gives {count} label maps: '
                        f'there is none for sample {index}')

    def _at_hand(self) -> bool:
        return isinstance(self._maps, Sequence | np.ndarray)
