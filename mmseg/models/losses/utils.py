"""Functions that several losses use: reduction, valid labels, class weights from a file."""
import functools
import math
import os
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mmcv_replace.device import is_asynchronous
from mmcv_replace.fileio import load, load_array
from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError
from mmcv_replace.utils.suggest import short

REDUCTIONS = ('none', 'mean', 'sum')
IGNORED = 255  # the default of mmsegmentation


def check_reduction(reduction: str) -> str:
    """Return `reduction`, or raise ConfigError where it is not one of REDUCTIONS."""
    if reduction not in REDUCTIONS:
        raise ConfigError(f'reduction={reduction!r} is not known: use one of {REDUCTIONS}')
    return reduction


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """The loss itself ('none'), its mean or its sum."""
    check_reduction(reduction)
    if reduction == 'none':
        return loss
    return loss.mean() if reduction == 'mean' else loss.sum()


def weight_reduce_loss(loss: Tensor, weight: Tensor | None = None, reduction: str = 'mean',
                       avg_factor: float | Tensor | None = None) -> Tensor:
    """Multiply the elements by `weight` and reduce; 'mean' divides by `avg_factor` if it is given.

    `weight` has the shape of `loss`, with sizes of 1 where it is repeated; a weight [N, ...] also
    fits a loss [N, C, ...]. Raises ConfigError for an `avg_factor` with reduction='sum', and
    ArgumentError for a weight of another shape.
    """
    if weight is not None:
        if weight.dim() < loss.dim():
            weight = weight.unsqueeze(1)
        if weight.dim() != loss.dim() or any(
                size not in (1, full) for size, full in zip(weight.shape, loss.shape, strict=True)):
            raise ArgumentError(f'weight {list(weight.shape)} does not fit the loss '
                                f'{list(loss.shape)}: give its shape, with 1 where it repeats')
        loss = loss * weight.to(loss.dtype)
    if avg_factor is None:
        return reduce_loss(loss, reduction)
    if check_reduction(reduction) == 'sum':
        raise ConfigError("avg_factor divides a mean: use it with reduction='mean'")
    return loss if reduction == 'none' else loss.sum() / avg_factor


def weighted_loss(loss_func: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorator: an element-wise loss (pred, target, ...) also takes weight, reduction, avg_factor.

    See `weight_reduce_loss` for these.
    """

    @functools.wraps(loss_func)
    def wrapper(pred: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = 'mean',
                avg_factor: float | Tensor | None = None, **kwargs: object) -> Tensor:
        loss = loss_func(pred, target, **kwargs)
        return weight_reduce_loss(loss, weight, reduction, avg_factor)

    return wrapper


def valid_pixels(label: Tensor, ignore_index: int) -> Tensor:
    """Mask of the labels that count: neither negative nor `ignore_index`."""
    return ~(label < 0) & (label != ignore_index)  # a target that is NaN is no ignored one


def count_valid(label: Tensor, ignore_index: int) -> Tensor:
    """Number of valid labels, as a divisor: 1 where there are none, so that a loss of 0 stays 0."""
    return valid_pixels(label, ignore_index).sum().clamp(min=1)


def one_hot(label: Tensor, classes: int) -> Tensor:
    """Masks [N, classes, ...] of labels [N, ...]; all False where the label is no class."""
    numbers = torch.arange(classes, device=label.device)
    return label.unsqueeze(1) == numbers.view(-1, *[1] * (label.dim() - 1))


def by_channel(values: Tensor, like: Tensor) -> Tensor:
    """Values [C] or [N, C] as a factor of `like` [N, C, ...], which may be of points: [N, C, P]."""
    return values.view(*values.shape, *[1] * (like.dim() - 2))


def up_to_one(label: Tensor, valid: Tensor) -> Tensor:
    """Labels or targets from 0 to 1 as floats of the same shape, 0 where they are not valid.

    A valid one above 1 is a DataError, or NaN on an accelerator.
    """
    wrong = valid & (label > 1)
    if not is_asynchronous(label.device) and wrong.any():
        found = ', '.join(map(str, label[wrong].unique()[:8].tolist()))
        raise DataError(f'labels {found} in a problem of two classes, 0 and 1: correct the masks, '
                        'or give the data set `classes` or a label_map; mark pixels without a '
                        'class by ignore_index')
    target = label if label.is_floating_point() else label.float()
    return target.masked_fill(wrong, float('nan')).masked_fill(~valid, 0)


@functools.lru_cache(maxsize=64)
def constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """The numbers as a tensor [len(values)], copied to the device once."""
    # A tensor made during validation must also serve training.
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)


def get_class_weight(
    class_weight: Sequence[float] | str | os.PathLike | None,
) -> list[float] | None:
    """Class weights as a list; a string is the path of a .npy, .json or .yaml file with them.

    Raises ConfigError for a missing file, and for anything but one number, 0 or more, per class.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str | os.PathLike):
        path = os.fspath(class_weight)
        if not os.path.isfile(path):
            raise ConfigError(f'class_weight: no file {path!r}; give a list of numbers, or the '
                              'path of a .npy, .json or .yaml file with one')
        class_weight = load_array(path) if path.endswith('.npy') else load(path)
    try:
        weights = np.asarray(class_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f'class_weight must be numbers, not {short(class_weight)}') from error
    if weights.ndim != 1:
        raise ConfigError('class_weight must be one number a class, not '
                          f'{short(weights.tolist())} of the shape {weights.shape}')
    for number, weight in enumerate(weights):
        if not 0 <= weight < math.inf:
            raise ConfigError(f'class_weight: {weight} for class {number} must be a number from 0 '
                              'on')
    return weights.tolist()
