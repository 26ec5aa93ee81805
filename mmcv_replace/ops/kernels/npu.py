"""Operators of torch_npu."""
import torch
import torch_npu
from torch import Tensor

from ..deform.options import DeformOptions
from .float32 import in_float32


@in_float32
def deform_conv2d(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                  bias: Tensor | None, options: DeformOptions) -> Tensor:
    """See mmcv_replace/ops/deform/sampled_conv.py.

    The vendor documents the limits of kernel sizes. Whether a kernel size begins with the height
    or the width differs between its interfaces, so that square kernels alone are safe.
    """
    height, width = options.kernel
    if (x.dtype != torch.float32 or height != width or options.points > 2048
            or options.points * weight.shape[1] > 65535):
        return NotImplemented
    # The operator wants all horizontal offsets, then all vertical ones, then all factors.
    y, x_shift = offset.unflatten(1, (-1, 2)).unbind(2)
    factors = torch.ones_like(y) if mask is None else mask
    (down, right), dilation = options.padding, options.dilation
    out, _ = torch_npu.npu_deformable_conv2d(
        x, weight, torch.cat([x_shift, y, factors], 1), bias, kernel_size=[width, height],
        stride=[1, 1, *options.stride], padding=[down, down, right, right],
        dilation=[1, 1, *dilation], groups=options.groups,
        deformable_groups=options.deform_groups, modulated=True)
    return out
