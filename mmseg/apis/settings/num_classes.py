"""Checks of a config's parts against each other, before any work is done."""
from torch import nn

from mmcv_replace.utils.errors import ConfigError


def check_num_classes(model: nn.Module, dataset: object, place: str | None = None) -> None:
    """Raise ConfigError where a head does not tell apart the dataset's number of classes.

    `place` is what the message calls the dataset, by default its type.
    """
    classes = getattr(dataset, 'CLASSES', None)
    if classes is None:
        return
    owner, count = place or type(dataset).__name__, len(classes)
    for name, module in model.named_modules():
        if not hasattr(module, 'conv_seg') and name != 'decode_head':
            continue
        found = getattr(module, 'num_classes', None)
        if getattr(module, 'out_channels', found) == 1:
            _check_binary(name, found, owner, count)
        elif found != count:
            raise ConfigError(
                f'model.{name} has num_classes={found} but {owner} has {count} classes: set '
                f'model.{name}.num_classes={count}, or give the dataset its own `classes`')


def _check_binary(head: str, num_classes: int, owner: str, count: int) -> None:
    if count == 2:
        return
    told = (f'model.{head} has num_classes={num_classes} and one logit, which tells class 1 from '
            f'class 0, but {owner} has {count} class{"" if count == 1 else "es"}: ')
    if count == 1:
        raise ConfigError(
            f"{told}name both, such as classes=('background', 'crack') with masks of 0 and 1, and "
            f'(1) keep the one logit, or (2) set model.{head}.num_classes=2 with out_channels=None '
            'and a softmax loss, in all heads')
    raise ConfigError(f'{told}set model.{head}.num_classes={count} with out_channels=None and a '
                      'loss for them, or give the dataset two `classes`')
