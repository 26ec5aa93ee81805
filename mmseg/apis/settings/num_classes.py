"""Whether the heads of a model and a data set have the same number of classes."""
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.models.decode_heads.find_heads import named_heads


def check_num_classes(model: nn.Module, dataset: object, place: str | None = None) -> None:
    """Raise ConfigError for a head whose number of classes is not the dataset's.

    A dataset without CLASSES is not checked. `place` names the dataset in the message; by default
    its type does.
    """
    classes = getattr(dataset, 'CLASSES', None)
    if classes is None:
        return
    owner, count = place or type(dataset).__name__, len(classes)
    for name, head in named_heads(model):
        found = head.num_classes
        if getattr(head, 'out_channels', found) == 1:
            _check_binary(name, found, owner, count)
        elif found != count:
            raise ConfigError(
                f'model.{name} has num_classes={found} but {owner} has {count} classes: set '
                f'model.{name}.num_classes={count}, or give the dataset its own `classes`')


def _check_binary(head: str, num_classes: int, owner: str, count: int) -> None:
    if count == 2:
        return
    text = (f'model.{head} has num_classes={num_classes} and one logit, which tells class 1 from '
            f'class 0, but {owner} has {count} class{"" if count == 1 else "es"}: ')
    if count == 1:
        raise ConfigError(
            f"{text}name both, such as classes=('background', 'crack') with masks of 0 and 1, and "
            f'(1) keep the one logit, or (2) set model.{head}.num_classes=2 with out_channels=None '
            'and a softmax loss, in all heads')
    raise ConfigError(f'{text}set model.{head}.num_classes={count} with out_channels=None and a '
                      'loss for them, or give the dataset two `classes`')
