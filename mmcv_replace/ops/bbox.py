"""Overlaps of boxes."""
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_replace.utils.errors import ArgumentError

from .nms.boxes import check_offset
from .precision import wide_type


def bbox_overlaps(bboxes1: Tensor, bboxes2: Tensor, mode: str = 'iou', aligned: bool = False,
                  offset: int = 0) -> Tensor:
    """Overlaps of boxes, each with each, or in pairs if `aligned`.

    bboxes1: [M, 4] with x1, y1, x2, y2, bboxes2: [N, 4]; either may be empty, of any shape.
    `mode` 'iou' divides the common area by that of the union, 'iof' by that of the first box.
    `offset` is added to the sides: 1 where x2 and y2 are the last pixels of the box.

    Returns [M, N], or [M] if `aligned`, where M = N; NaN for the overlap of boxes without an area.
    It is differentiable, computed in float32 for low precision and whole numbers, and in the type
    of bboxes1 unless these are whole numbers.
    Cost: 14 M N operations, memory 4 M N.
    Raises ArgumentError for other shapes, modes and offsets.
    """
    if mode not in ('iou', 'iof'):
        raise ArgumentError(f"bbox_overlaps: mode must be 'iou' or 'iof', and got {mode!r}")
    check_offset(offset)
    for name, boxes in (('bboxes1', bboxes1), ('bboxes2', bboxes2)):
        if len(boxes) and (boxes.dim() != 2 or boxes.size(1) != 4):
            raise ArgumentError(f'bbox_overlaps: {name} must be [N, 4], with x1, y1, x2 and y2 in '
                                f'a row, and got {list(boxes.shape)}')
    if aligned and len(bboxes1) != len(bboxes2):
        raise ArgumentError('bbox_overlaps: aligned boxes must be equal in number, and got '
                            f'{len(bboxes1)} and {len(bboxes2)}')
    dtype = bboxes1.dtype if bboxes1.is_floating_point() else torch.float32
    one, other = (x.to(wide_type(x.dtype)).reshape(-1, 4).split([1] * 4, dim=1)
                  for x in (bboxes1, bboxes2))
    if aligned:
        return _overlaps(one, other, mode, offset).squeeze(1).to(dtype)
    return _overlaps(one, [x.T for x in other], mode, offset).to(dtype)


def _overlaps(one: Sequence[Tensor], other: Sequence[Tensor], mode: str, offset: int) -> Tensor:
    """`bbox_overlaps` of coordinates that broadcast."""
    width, height = (
        (torch.minimum(one[axis + 2], other[axis + 2]) - torch.maximum(one[axis], other[axis])
         + offset).clamp(min=0) for axis in (0, 1))
    common = width * height
    area = _area(one, offset)
    return common / (area + _area(other, offset) - common if mode == 'iou' else area)


def _area(boxes: Sequence[Tensor], offset: int) -> Tensor:
    return (boxes[2] - boxes[0] + offset) * (boxes[3] - boxes[1] + offset)
