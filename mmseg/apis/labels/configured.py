"""Settings of labels in the config of the training data, which the other splits follow."""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets import DATASETS
from mmseg.datasets.classes import read_classes
from mmseg.datasets.label_settings import common, read_label_map
from mmseg.datasets.pipeline_options import inner_datasets


@dataclass(frozen=True)
class ToldLabels:
    """Settings of labels in a config; None for those that are not set."""

    ignore_index: int | None = None
    reduce_zero_label: bool | None = None
    label_map: dict[int, int] | None = None
    classes: tuple[str, ...] | None = None


def told_in(setting: Any) -> ToldLabels:
    """Settings in the config of a data set; None where the parts that it joins differ.

    Classes that are not set are those of its type. The data set is not built; the only file that is
    read is a list of class names.
    """
    parts = list(_parts(setting))
    return ToldLabels(
        ignore_index=common(part.get('ignore_index') for part in parts),
        reduce_zero_label=common(_reduces(part) for part in parts),
        label_map=common(read_label_map(str(part.get('type')), part.get('label_map'))
                         for part in parts),
        classes=common(_classes(part) for part in parts))


def follow_training(cfg: Config, dataset: Dataset) -> None:
    """Apply the label settings of data.train to a data set of another split that lacks them."""
    told = told_in(cfg.data.get('train'))
    for part in inner_datasets(dataset):
        follow = getattr(part, 'follow_labels', None)
        if follow is not None and hasattr(part, 'told_labels'):
            follow(told.ignore_index, told.reduce_zero_label)


def _parts(setting: Any) -> Iterator[Mapping[str, Any]]:
    """The configs of the data sets in a list or a wrapper; of a plain data set its own."""
    if isinstance(setting, list | tuple):
        for part in setting:
            yield from _parts(part)
    elif isinstance(setting, Mapping):
        inner = setting.get('datasets') or setting.get('dataset')
        if inner:
            yield from _parts(inner)
        else:
            yield setting


def _reduces(part: Mapping[str, Any]) -> bool | None:
    """`reduce_zero_label` of the data set, else of its LoadAnnotations."""
    if part.get('reduce_zero_label') is not None:
        return bool(part['reduce_zero_label'])
    steps = part.get('pipeline')
    told = [step['reduce_zero_label'] for step in (steps if isinstance(steps, list | tuple) else ())
            if isinstance(step, Mapping) and step.get('type') == 'LoadAnnotations'
            and step.get('reduce_zero_label') is not None]
    return bool(told[0]) if told else None


def _classes(part: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of the classes; None if they are malformed, which the data set reports itself."""
    kind = part.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) and kind in DATASETS else kind
    known = getattr(kind, 'CLASSES', None)
    if part.get('classes') is None:
        return None if known is None else tuple(known)
    try:
        return read_classes(part['classes'], known)
    except ConfigError:
        return None
