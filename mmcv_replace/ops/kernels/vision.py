"""Operators of torchvision, which it has compiled for some devices."""
import torchvision
from torch import Tensor

from ..deform_options import DeformOptions
from .float32 import in_float32


@in_float32
def deform_conv2d(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                  bias: Tensor | None, options: DeformOptions) -> Tensor:
    """See mmcv_replace/ops/deform_sampling.py."""
    return torchvision.ops.deform_conv2d(x, offset, weight, bias, options.stride, options.padding,
                                         options.dilation, mask)
