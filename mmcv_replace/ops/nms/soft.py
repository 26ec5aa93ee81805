"""Scores that fall with the overlap of boxes."""
import numpy as np
import torch
from torch import Tensor

from mmcv_replace.utils.errors import ArgumentError
from mmcv_replace.utils.misc.deprecation import deprecated_api_warning

from . import gradual
from .boxes import accept_arrays, check_boxes, check_numbers, on_host, to_device, to_host


@deprecated_api_warning({'iou_thr': 'iou_threshold'})
@accept_arrays
def soft_nms(boxes: Tensor, scores: Tensor, iou_threshold: float = 0.3, sigma: float = 0.5,
             min_score: float = 1e-3, method: str = 'linear', offset: int = 0
             ) -> tuple[Tensor, Tensor]:
    """Lower the scores of boxes that overlap a better one, instead of dropping them.

    Soft-NMS, arXiv:1704.04503.
    boxes: [N, 4] with x1, y1, x2, y2; scores: [N]; both may be NumPy arrays, and then the results
    are. When a box is selected, the score of every other is multiplied by 1 - IoU ('linear') or 0
    ('naive') if the IoU is at least `iou_threshold`, or by exp(-IoU ** 2 / `sigma`) ('gaussian').
    Boxes whose score falls below `min_score` are dropped. `offset` is added to the sides: 1 where
    x2 and y2 are the last pixels of the box.

    Returns (dets, keep): [K, 5], the boxes and their new scores, best first, and [K], their places
    in `boxes`. Neither has a gradient. Low precision is computed in float32.
    Cost: some 15 operations for each selected box and each other that is left, memory N. The host
    waits for a device once.
    Raises ArgumentError for other shapes, types, methods and offsets or a sigma that is not above
    0, and UsageError in a graph that is traced.
    """
    check_boxes(boxes, scores, offset)
    check_numbers(iou_threshold=iou_threshold, sigma=sigma, min_score=min_score)
    decays = {'naive': lambda: gradual.naive(iou_threshold),
              'linear': lambda: gradual.linear(iou_threshold),
              'gaussian': lambda: gradual.gaussian(sigma)}
    if method not in decays:
        raise ArgumentError(f'soft_nms: method must be one of {", ".join(decays)}, and got '
                            f'{method!r}')
    if method == 'gaussian' and not sigma > 0:
        raise ArgumentError(f'soft_nms: sigma must be above 0, and got {sigma}')
    return _lower(boxes, scores, decays[method](), min_score, offset)


@on_host
def _lower(boxes: Tensor, scores: Tensor, decay: gradual.Decay, min_score: float, offset: int
           ) -> tuple[Tensor, Tensor]:
    corners, values = (x.numpy() for x in to_host(boxes, scores))
    values = values.astype(np.promote_types(values.dtype, corners.dtype))
    keep, lowered = gradual.gradual(corners, values, decay, values.dtype.type(min_score), offset)
    keep = to_device(torch.from_numpy(keep), boxes.device)
    lowered = to_device(torch.from_numpy(lowered).to(scores.dtype), boxes.device)
    kept = boxes.detach().index_select(0, keep)
    return torch.cat([kept, lowered.unsqueeze(1)], dim=1), keep
