"""Classes of a data set without CLASSES: their number is the model's, their names are numbers."""
from collections.abc import Sequence

from torch import nn


def classes_of_model(model: nn.Module) -> int:
    """The number of classes between which a segmentor, or what wraps it, decides; 0 if unknown."""
    number = getattr(getattr(model, 'module', model), 'num_classes', 0)
    return max(number, 2) if number else 0  # two classes may have one logit, and be called one


def names_of(classes: Sequence[str] | None, number: int) -> tuple[str, ...]:
    """The names of classes; where they have none, the numbers from 0 to `number` - 1."""
    return tuple(classes) if classes else tuple(map(str, range(number)))
