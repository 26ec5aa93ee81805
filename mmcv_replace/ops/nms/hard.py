"""The keeping of boxes that no better one overlaps."""
import torch
from torch import Tensor

from mmcv_replace.utils.misc.deprecation import deprecated_api_warning

from ..kernels import run
from .boxes import accept_arrays, check_boxes, check_numbers, on_host, to_device, to_host
from .greedy import greedy


@deprecated_api_warning({'iou_thr': 'iou_threshold'})
@accept_arrays
def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0,
        score_threshold: float = 0, max_num: int = -1) -> tuple[Tensor, Tensor]:
    """Keep the boxes that do not overlap a better one which is kept.

    boxes: [N, 4] with x1, y1, x2, y2; scores: [N]; both may be NumPy arrays, and then the results
    are. A box goes if its IoU with a better one is above `iou_threshold`. `offset` is added to the
    sides: 1 where x2 and y2 are the last pixels of the box. A `score_threshold` above 0 first drops
    the boxes with this score and below. At most `max_num` are kept if that is above 0.

    Returns (dets, keep): [K, 5], the kept boxes and their scores, best first, and [K], their places
    in `boxes`. Gradients reach boxes and scores. The order of equal scores is that of
    `scores.sort(descending=True)` on the host. Low precision is computed in float32.
    Cost: N log N, and the comparison of boxes whose bounds allow such an IoU; memory N. The host
    waits for a device once.
    Raises ArgumentError for other shapes, types and offsets, and UsageError in a graph that is
    traced: how many boxes it keeps depends on their values.
    """
    check_boxes(boxes, scores, offset)
    check_numbers(iou_threshold=iou_threshold, score_threshold=score_threshold, max_num=max_num)
    keep = run('nms', _select, boxes, scores, iou_threshold, offset, score_threshold,
               max_num if max_num > 0 else len(boxes))
    dets = [boxes.index_select(0, keep), scores.index_select(0, keep).unsqueeze(1)]
    return torch.cat(dets, dim=1), keep


@on_host
def _select(boxes: Tensor, scores: Tensor, threshold: float, offset: int, score_threshold: float,
            most: int) -> Tensor:
    """Places of the boxes that `nms` keeps."""
    corners, values = to_host(boxes, scores)
    if score_threshold > 0:
        valid = (values > score_threshold).nonzero().squeeze(1)
        order = valid[values[valid].sort(descending=True)[1]]
    else:
        order = values.sort(descending=True)[1]
    kept = greedy(corners[order].numpy(), threshold, offset, most)
    return to_device(order[torch.from_numpy(kept)], boxes.device)
