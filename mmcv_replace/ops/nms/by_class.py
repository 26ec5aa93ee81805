"""Non-maximum suppression within classes."""
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcv_replace.utils.checks.signature import check_arguments
from mmcv_replace.utils.errors import ArgumentError, ConfigKeyError

from ..precision import wide_type
from .boxes import on_host, to_device, to_host
from .hard import nms
from .soft import soft_nms

TYPES = {'nms': nms, 'soft_nms': soft_nms}
OLD_NAMES = {'iou_thr': 'iou_threshold'}


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, nms_cfg: Mapping[str, Any] | None,
                class_agnostic: bool = False) -> tuple[Tensor, Tensor]:
    """Suppress boxes by better ones of the same class.

    boxes: [N, 4] with x1, y1, x2, y2; scores: [N]; idxs: [N], the classes. `nms_cfg` has the keys
    `type`, 'nms' (default) or 'soft_nms'; `split_thr`, 10000 by default; `class_agnostic`, which
    takes precedence over the argument; and arguments of that function. None keeps all boxes.
    Boxes of different classes are moved apart, by class times the largest coordinate, and selected
    at once; from `split_thr` boxes on, one class after the other, where `class_agnostic` has no
    effect, as in mmcv, and the best `max_num` of all classes are kept. A box at negative
    coordinates may still touch one of the class below it, as in mmcv.

    Returns (dets, keep): [K, 5], the kept boxes and their scores, best first, and [K], their places
    in `boxes`. Cost: that of `nms` and `soft_nms`, with one wait for the device.
    Raises ConfigKeyError for another type, ArgumentError for other shapes of idxs and for keys that
    are unknown or missing, and what the function of that type raises.
    """
    if nms_cfg is None:
        scores, keep = scores.sort(descending=True)
        return torch.cat([boxes[keep], scores.unsqueeze(1)], dim=1), keep
    if idxs.shape != boxes.shape[:1]:
        raise ArgumentError(f'batched_nms: idxs must be [{len(boxes)}], the class of each of the '
                            f'boxes, and got {list(idxs.shape)}')
    options = dict(nms_cfg)
    name = options.pop('type', 'nms')
    if name not in TYPES:
        raise ConfigKeyError(f'nms_cfg: type must be one of {", ".join(TYPES)}, and got {name!r}')
    class_agnostic = options.pop('class_agnostic', class_agnostic)
    split_threshold = options.pop('split_thr', 10000)
    at_once = len(boxes) < split_threshold
    _check_options(name, options, () if at_once else ('max_num',))
    moved = boxes.detach().to(wide_type(boxes.dtype))
    if not class_agnostic and len(boxes):
        moved = moved + (idxs.to(moved) * (moved.max() + 1)).unsqueeze(1)
    if at_once:
        dets, keep = TYPES[name](moved, scores, **options)
        scores = dets.split([4, 1], dim=1)[1].squeeze(1).to(scores.dtype)
    else:
        scores, keep = _one_by_one(name, moved, scores, idxs, options)
    return torch.cat([boxes.index_select(0, keep), scores.unsqueeze(1)], dim=1), keep


def _check_options(name: str, options: Mapping[str, Any], ours: tuple[str, ...]) -> None:
    """Raise ArgumentError for options that neither the function nor, `ours`, this module takes."""
    given = {OLD_NAMES.get(key, key): value for key, value in options.items() if key not in ours}
    of_boxes = dict(boxes=None, scores=None)
    twice = of_boxes.keys() & given.keys()
    if twice:
        raise ArgumentError(f'nms_cfg: {", ".join(sorted(twice))} are arguments of batched_nms '
                            'itself: leave them out')
    check_arguments(f'nms_cfg of type {name!r}', TYPES[name], {**of_boxes, **given})


@on_host
def _one_by_one(name: str, boxes: Tensor, scores: Tensor, idxs: Tensor, options: dict[str, Any]
                ) -> tuple[Tensor, Tensor]:
    """Scores and places of the boxes that stay in their class."""
    most = options.pop('max_num', -1)
    corners, old, classes = to_host(boxes, scores, idxs)
    new, stays = old.new_zeros(len(old)), old.new_zeros(len(old), dtype=torch.bool)
    for number in classes.unique().tolist():
        members = (classes == number).nonzero().squeeze(1)
        dets, keep = TYPES[name](corners[members], old[members], **options)
        stays[members[keep]] = True
        new[members[keep]] = dets[:, 4].to(new.dtype)
    keep = stays.nonzero().squeeze(1)
    new, order = new[keep].sort(descending=True)
    if most > 0:
        new, order = new[:most], order[:most]
    keep = to_device(keep[order], boxes.device)
    if name == 'nms':  # has a gradient
        return scores.index_select(0, keep), keep
    return to_device(new.to(scores.dtype), boxes.device), keep
