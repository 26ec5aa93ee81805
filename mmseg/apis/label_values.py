"""Whether the labels of the data fit the heads: classes, or the one value that they ignore."""
import logging
from collections.abc import Iterator

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.pipelines.ignored import LabelFiller
from mmseg.datasets.tuning import inner_datasets

# The value, where it is set, and the setting.
Special = tuple[int, str, str]


def check_ignored_labels(model: nn.Module, dataset: Dataset) -> None:
    """Raise ConfigError where a value of the data is neither a class nor ignored by a head.

    The loss would end in an index error. A value that a head has a class for is learned as that
    class, which is said in a warning.
    """
    for value, owner, setting in _special_values(dataset):
        for name, head in model.named_modules():
            ignored, classes = (getattr(head, key, None) for key in ('ignore_index', 'num_classes'))
            if not isinstance(ignored, int) or not isinstance(classes, int) or value == ignored:
                continue
            clash = f'{setting}={value} of {owner}, but model.{name}.ignore_index={ignored}'
            if value >= classes or (value < 0 and not _ignores_negative(head)):
                raise ConfigError(
                    f'{clash}: its loss would meet the label {value}, which is none of its '
                    f'{classes} classes; set model.{name}.ignore_index={value}, or {setting}='
                    f'{ignored}')
            if setting == 'ignore_index' and value >= 0:
                logging.getLogger('mmseg').warning(
                    '%s: the head learns the label %d as a class, and the evaluation ignores it; '
                    'set both to the same', clash, value)


def _ignores_negative(head: nn.Module) -> bool:
    return any(getattr(module, 'use_sigmoid', False) for module in head.modules())


def _special_values(dataset: Dataset) -> Iterator[Special]:
    """The values beside the classes that the labels of a dataset may have."""
    for part in inner_datasets(dataset):
        owner = type(part).__name__
        if isinstance(getattr(part, 'ignore_index', None), int):
            yield part.ignore_index, owner, 'ignore_index'
        for step in getattr(getattr(part, 'pipeline', None), 'transforms', ()):
            if isinstance(step, LabelFiller) and step.seg_pad_val is not None:
                yield step.seg_pad_val, f'{type(step).__name__} in {owner}', 'seg_pad_val'
