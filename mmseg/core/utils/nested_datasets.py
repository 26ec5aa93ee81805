"""Walk through data sets that are made of other data sets, built or in a config."""
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset


def inner_datasets(dataset: Dataset) -> Sequence[Dataset]:
    """The data sets that a wrapper reads its samples from, empty for any other data set.

    A wrapper has a method `inner()` that returns them, or holds them as `datasets` or `dataset`,
    as torch's ConcatDataset and Subset do.
    """
    if isinstance(dataset, Tensor):
        return []  # samples themselves; its method `inner` is a product
    inner = getattr(dataset, 'inner', None)
    if callable(inner):
        return inner()
    parts = getattr(dataset, 'datasets', None)
    if isinstance(parts, list | tuple):
        return parts
    part = getattr(dataset, 'dataset', None)
    is_dataset = hasattr(part, '__len__') and not isinstance(part, str | Mapping | Tensor)
    return [part] if is_dataset else []


def nested_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """`dataset` and all data sets inside it, each before those that it is made of."""
    yield dataset
    for part in inner_datasets(dataset):
        yield from nested_datasets(part)


def leaf_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """The data sets inside `dataset` that are no wrappers; `dataset` itself if it is none."""
    return (part for part in nested_datasets(dataset) if not inner_datasets(part))


def leaf_configs(cfg: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """(key, config) of each data set in `cfg`: the config of one, of a wrapper, or a list of them.

    `key` is the place of `cfg` in the whole config, such as data.train.
    """
    inner = 'dataset' if isinstance(cfg, Mapping) and cfg.get('dataset') else 'datasets'
    if isinstance(cfg, list | tuple):
        for index, part in enumerate(cfg):
            yield from leaf_configs(part, f'{key}.{index}')
    elif isinstance(cfg, Mapping) and cfg.get(inner):
        yield from leaf_configs(cfg[inner], f'{key}.{inner}')
    else:
        yield key, cfg
