"""Checks of a head's numbers of classes and logits, which differ for two classes by one logit."""
from collections.abc import Iterable

from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import THRESHOLD


def resolve_threshold(head: str, num_classes: int, out_channels: int,
                      threshold: float | None) -> float | None:
    """Threshold of the probability of class 1; None for several logits, where the largest decides.

    Raises ConfigError for numbers that do not fit together, with the name `head` of the class.
    """
    if out_channels != num_classes and (num_classes, out_channels) != (2, 1):
        raise ConfigError(f'{head}: out_channels={out_channels} must be num_classes={num_classes}, '
                          'or 1 with num_classes=2')
    if out_channels > 1:
        if threshold is not None:
            raise ConfigError(f'{head}: threshold={threshold} is for one logit; with '
                              f'{out_channels} the largest decides: remove it, or set '
                              'out_channels=1')
        return None
    if threshold is None:
        return THRESHOLD
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ConfigError(f'{head}: threshold={threshold!r} must be a probability from 0 to 1')
    return threshold


def check_no_softmax(head: str, num_classes: int, criteria: Iterable[nn.Module]) -> None:
    """Raise ConfigError for a softmax loss of a single logit: its probability is always 1."""
    softmax = [type(loss).__name__ for loss in criteria
               if getattr(loss, 'use_sigmoid', None) is False
               and not getattr(loss, 'use_mask', False)]
    if softmax:
        raise ConfigError(
            f'{head}: num_classes={num_classes} gives one logit, of which the softmax of '
            f'{softmax[0]} learns nothing: its loss is 0. For two classes use (1) two logits, '
            'num_classes=2 without out_channels, or (2) that of class 1, num_classes=2, '
            "out_channels=1, loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)")
