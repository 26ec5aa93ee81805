"""Which methods of a data set, step, model or hook a user has overridden; these are called."""
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import DataError
from mmseg.core.utils import nested_datasets

if TYPE_CHECKING:
    from mmcv_replace.runner import BaseRunner

Method = TypeVar('Method', bound=Callable)
LabelGetter = Callable[[int], np.ndarray]

# Methods that return annotations; if one class overrides several, the first is used.
BY_INDEX = ('get_gt_seg_map', 'get_gt_seg_map_by_idx')
ALL_LABELS = 'get_gt_seg_maps'
# Beside scores mmsegmentation's hooks log the number of batches.
NO_SCORES = ('eval_iter_num',)
_STANDARD: set[Callable] = set()


def standard(method: Method) -> Method:
    """Mark a method of our own classes, which callers that know its effect may bypass."""
    _STANDARD.add(method)
    return method


def is_own(owner: object, name: str) -> bool:
    """Whether an object, or its class, has another version of a method than a `standard` one."""
    method = getattr(owner, name, None)
    return method is not None and getattr(method, '__func__', method) not in _STANDARD


def is_own_anywhere(dataset: Dataset, name: str) -> bool:
    """Whether a data set, or one inside it, has its own version of a method."""
    return any(is_own(part, name) for part in nested_datasets(dataset))


def takes(method: Callable, name: str) -> bool:
    """Whether a method has a parameter of this name, or takes any keyword."""
    parameters = inspect.signature(method).parameters
    return name in parameters or any(parameter.kind is parameter.VAR_KEYWORD
                                     for parameter in parameters.values())


@contextmanager
def logged_scores(runner: 'BaseRunner') -> Iterator[dict[str, Any]]:
    """What code of a user puts into the log inside the block, in place of putting it there.

    The dict is filled at the end of the block.
    """
    output, found = runner.log_buffer.output, {}
    former = dict(output)
    output.clear()
    try:
        yield found
    finally:
        found.update((name, value) for name, value in output.items() if name not in NO_SCORES)
        output.clear()
        output.update(former)


def labels_of(dataset: Dataset, names: Sequence[str] = (*BY_INDEX, ALL_LABELS)) -> LabelGetter:
    """Function that returns a sample's annotation [H, W]: the most derived method of `names`."""
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
    """Number of classes between an object and the one with a method; -1 for the object itself."""
    # Wrappers such as DeterministicDataset pass attributes on: the owner is the inner data set.
    owner = getattr(getattr(dataset, name), '__self__', None)
    if owner is None or name in vars(owner):
        return -1
    classes = type(owner).__mro__
    return next((place for place, cls in enumerate(classes) if name in vars(cls)), len(classes))


class _InOrder:
    """Annotations by index, from a method that returns or yields those of all samples in order."""

    def __init__(self, method: Callable[..., Any]) -> None:
        # mmsegmentation 0.x always passes this argument.
        self._arguments = ({'efficient_test': False}
                           if 'efficient_test' in inspect.signature(method).parameters else {})
        self._method = method
        self._maps: Any = None  # what the method returned
        self._rest: Iterator[np.ndarray] = iter(())
        self._next = math.inf  # index of the first map of the rest

    def __call__(self, index: int) -> np.ndarray:
        if index < self._next:
            if not isinstance(self._maps, Sequence | np.ndarray):  # an iterator serves only once
                self._maps = self._method(**self._arguments)
            self._rest, self._next = iter(self._maps), 0
        for label in self._rest:
            self._next += 1
            if self._next > index:
                return label
        raise DataError(f'get_gt_seg_maps, which the dataset overrides, gives {self._next} label '
                        f'maps: there is none for sample {index}')
