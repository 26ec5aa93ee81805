"""Convolutions whose result is wanted at some pixels alone (guided anchoring, arXiv:1901.03278)."""
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.utils.errors import UsageError

from .function_names import as_function

_Size = int | tuple[int, int]


def masked_conv2d(features: Tensor, mask: Tensor, weight: Tensor, bias: Tensor | None,
                  padding: _Size = 0, stride: _Size = 1) -> Tensor:
    """Convolution where the mask is greater than 0, and 0 elsewhere.

    features: [N, C, H, W], mask: [N, H', W'] of any type, weight: [O, C, kH, kW], bias: [O] ->
    [N, O, H', W']. Differentiable in features, weight and bias. All pixels are computed, so that
    shapes do not depend on the mask.
    Cost: 2 O C kH kW H' W' operations, no memory beside the result.

    Raises UsageError for a mask of another shape.
    """
    return _where(mask, F.conv2d(features, weight, bias, stride, padding))


MaskedConv2dFunction = as_function('MaskedConv2dFunction', masked_conv2d)


class MaskedConv2d(nn.Conv2d):
    """Conv2d that takes a mask: `masked_conv2d`. Without one it is nn.Conv2d.

    input: [N, in_channels, H, W], mask: [N, H', W'] -> [N, out_channels, H', W'].
    """

    # A norm behind it also changes the zeros.
    result_is_masked = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: _Size, stride: _Size = 1,
                 padding: _Size = 0, dilation: _Size = 1, groups: int = 1,
                 bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         bias)

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        result = super().forward(input)
        return result if mask is None else _where(mask, result)


def _where(mask: Tensor, result: Tensor) -> Tensor:
    """The new tensor `result` where the mask is on."""
    wanted = (result.shape[0], *result.shape[2:])
    if result.dim() != 4 or mask.shape != wanted:
        raise UsageError(f'masked convolution: mask of shape {tuple(mask.shape)} for a result of '
                         f'shape {tuple(result.shape)}; it must be [N, H, W] for [N, C, H, W]')
    # In place: neither the convolution nor its gradient needs the values.
    return result.masked_fill_((mask > 0).logical_not().unsqueeze(1), 0)
