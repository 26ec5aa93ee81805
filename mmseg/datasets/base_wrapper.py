"""The base of data sets that are made of other data sets."""
from collections.abc import Sequence
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError


class BaseDatasetWrapper(Dataset):
    """A data set that takes its samples from those that `inner()` returns.

    All that walks through nested data sets (settings of labels, the cache, the data check) finds
    them by `inner()`. In a config they are built before the wrapper: `dataset=dict(...)` or
    `datasets=[dict(...), ...]`. The wrapper has their CLASSES, PALETTE and ignore_index.
    """

    def inner(self) -> Sequence[Dataset]:
        """The data sets that the samples come from, by default `datasets` or `dataset`."""
        return vars(self).get('datasets') or [self.dataset]

    def common(self, name: str) -> Any:
        """The value of an attribute of the inner data sets, None where none of them has it.

        Raises ConfigError where they differ.
        """
        values = [value for part in self.inner()
                  if (value := getattr(part, name, None)) is not None]
        if any(_as_list(value) != _as_list(values[0]) for value in values):
            raise ConfigError(f'{type(self).__name__}: its datasets differ in {name}: '
                              f'{", ".join(map(str, values))}; give all of them the same')
        return values[0] if values else None

    def __getattr__(self, name: str) -> Any:
        if name in ('CLASSES', 'ignore_index'):
            return self.common(name)
        if name == 'PALETTE':
            return getattr(self.inner()[0], name, None)
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
