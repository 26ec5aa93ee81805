"""Checks of a config's parts against each other, before any work is done."""
from torch import nn

from mmcv_replace.utils.errors import ConfigError


def check_num_classes(model: nn.Module, dataset: object) -> None:
    """Raise ConfigError where a head's num_classes is not the dataset's number of classes."""
    classes = getattr(dataset, 'CLASSES', None)
    if classes is None:
        return
    for name, module in model.named_modules():
        found = getattr(module, 'num_classes', None)
        if hasattr(module, 'conv_seg') and found != len(classes):
            raise ConfigError(
                f'model.{name} has num_classes={found} but {type(dataset).__name__} has '
                f'{len(classes)} classes: set model.{name}.num_classes={len(classes)}, or give '
                'the dataset its own `classes`')
