"""Settings of labels in the config of the training data, which the other splits follow."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import leaf_configs, leaf_datasets
from mmseg.datasets import DATASETS
from mmseg.datasets.masks.classes import read_classes
from mmseg.datasets.masks.label_settings import common, read_label_map


@dataclass(frozen=True)
class LabelSettings:
    """Settings of labels in a config; None for those that are not set."""

    ignore_index: int | None = None
    reduce_zero_label: bool | None = None
    label_map: dict[int, int] | None = None
    classes: tuple[str, ...] | None = None


def configured_labels(setting: Any) -> LabelSettings:
    """Settings in the config of a data set; None where the parts that it joins differ.

    Classes that are not set are those of its type. The data set is not built; the only file that is
    read is a list of class names.
    """
    parts = [part for _, part in leaf_configs(setting) if isinstance(part, Mapping)]
    return LabelSettings(
        ignore_index=common(part.get('ignore_index') for part in parts),
        reduce_zero_label=common(_reduces(part) for part in parts),
        label_map=common(read_label_map(str(part.get('type')), part.get('label_map'))
                         for part in parts),
        classes=common(_classes(part) for part in parts))


def configured_names(setting: Any) -> tuple[tuple[str, ...] | None, Any]:
    """The names of the classes in the config of a data set, and their RGB colours.

    None for what is neither set nor known from the type; the data set is not built.
    """
    names = configured_labels(setting).classes
    first = next((part for _, part in leaf_configs(setting) if isinstance(part, Mapping)), {})
    kind = _class_of(first)
    own = names == tuple(getattr(kind, 'CLASSES', None) or ())
    return names, first.get('palette') or (getattr(kind, 'PALETTE', None) if own else None)


def follow_training(cfg: Config, dataset: Dataset) -> None:
    """Apply the label settings of data.train to a data set of another split that lacks them."""
    train = configured_labels(cfg.data.get('train'))
    for part in leaf_datasets(dataset):
        if hasattr(part, 'follow_labels') and hasattr(part, 'own_labels'):
            part.follow_labels(train.ignore_index, train.reduce_zero_label)


def _reduces(part: Mapping[str, Any]) -> bool | None:
    """`reduce_zero_label` of the data set or its class, else of its LoadAnnotations."""
    steps = part.get('pipeline')
    values = [part.get('reduce_zero_label'), getattr(_class_of(part), 'reduce_zero_label', None)]
    values += [step.get('reduce_zero_label') for step in
               (steps if isinstance(steps, list | tuple) else ())
               if isinstance(step, Mapping) and step.get('type') == 'LoadAnnotations']
    return next((bool(value) for value in values if value is not None), None)


def _class_of(part: Mapping[str, Any]) -> Any:
    kind = part.get('type')
    return DATASETS.get(kind) if isinstance(kind, str) and kind in DATASETS else kind


def _classes(part: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of the classes; None if they are malformed, which the data set reports itself."""
    known = getattr(_class_of(part), 'CLASSES', None)
    if part.get('classes') is None:
        return None if known is None else tuple(known)
    try:
        return read_classes(part['classes'], known)
    except ConfigError:
        return None
