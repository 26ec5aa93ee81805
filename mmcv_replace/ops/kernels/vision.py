"""Operators of torchvision, which it has compiled for some devices."""
import torch
import torchvision
from torch import Tensor

from ..deform.options import DeformOptions
from ..precision import wide_type
from ..roi.samples import Grid
from .float32 import in_float32


@in_float32
def deform_conv2d(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                  bias: Tensor | None, options: DeformOptions) -> Tensor:
    """See mmcv_replace/ops/deform/sampled_conv.py."""
    return torchvision.ops.deform_conv2d(x, offset, weight, bias, options.stride, options.padding,
                                         options.dilation, mask)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int, score_threshold: float,
        most: int) -> Tensor:
    """See mmcv_replace/ops/nms/hard.py."""
    if offset or score_threshold > 0:
        return NotImplemented
    wide = wide_type(boxes.dtype)
    # It compares in float64, where 0.4 is another number than in float32.
    threshold = torch.tensor(iou_threshold, dtype=wide).item()
    return torchvision.ops.nms(boxes.detach().to(wide), scores.detach().to(wide), threshold)[:most]


@in_float32
def roi_align(x: Tensor, rois: Tensor, grid: Grid, pool_mode: str) -> Tensor:
    """See mmcv_replace/ops/roi_align.py."""
    if pool_mode != 'avg' or not x.numel():
        return NotImplemented
    return torchvision.ops.roi_align(x, rois.to(x.dtype), grid.shape, grid.scale, grid.ratio,
                                     grid.aligned)
