"""Convolutions that are computed with several dilations at once, to find the best one."""
import logging
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.runner.base_module import BaseModule

from .utils import Rate, expand_rates, get_single_padding


def searchable(size: int) -> bool:
    """Whether a kernel of this size has a dilation worth a search: it is odd, and not 1."""
    return size > 1 and size % 2 == 1


class BaseConvRFSearchOp(BaseModule):
    """A layer that stands in for the convolution `op_layer` during the search.

    `global_config`: see RFSearchHook. A subclass computes branches with several dilations.
    """

    def __init__(self, op_layer: nn.Module, global_config: dict[str, Any]) -> None:
        super().__init__()
        self.op_layer = op_layer
        self.global_config = global_config

    def normlize(self, weights: Tensor) -> Tensor:
        """Absolute values with the sum 1."""
        weights = weights.abs()
        return weights / weights.sum()


class Conv2dRFSearchOp(BaseConvRFSearchOp):
    """A Conv2d with several dilations, which share its weight: a weighted mean of their outputs.

    `branch_weights` are trained: `estimate_rates` takes their mean dilation, `expand_rates` tries
    others around it. `verbose` logs both.
    """

    def __init__(self, op_layer: nn.Module, global_config: dict[str, Any],
                 verbose: bool = True) -> None:
        super().__init__(op_layer, global_config)
        self.num_branches = global_config['num_branches']
        self.verbose = verbose
        # One each for as many branches as there can be; an optimizer holds it through the search.
        self.branch_weights = nn.Parameter(torch.empty(self.num_branches))
        self.dilation_rates: list[Rate] = []
        self.expand_rates()

    def forward(self, input: Tensor) -> Tensor:
        """Map [N, out_channels, H / stride, W / stride] of a map [N, in_channels, H, W]."""
        outputs = [self._convolve(input, rate) for rate in self.dilation_rates]
        if len(outputs) == 1:
            return outputs[0]
        weights = self.normlize(self.branch_weights[:len(outputs)])
        return sum(weight * output for weight, output in zip(weights, outputs, strict=True))

    def _convolve(self, input: Tensor, rate: Rate) -> Tensor:
        layer = self.op_layer
        return F.conv2d(input, layer.weight, layer.bias, layer.stride, self.get_padding(rate), rate,
                        layer.groups)

    def estimate_rates(self) -> None:
        """Keep one branch, with the mean of all dilations by their weights."""
        rates = self.dilation_rates
        weights = self.normlize(self.branch_weights.detach()[:len(rates)]).tolist()
        estimated = tuple(round(sum(weight * rate for weight, rate in zip(
            weights, along, strict=True))) for along in zip(*rates, strict=True))
        self._tell('dilations %s have the weights %s: %s is estimated', rates, weights, estimated)
        self.dilation_rates = [estimated]
        self.op_layer.dilation = estimated
        self.op_layer.padding = self.get_padding(estimated)

    def expand_rates(self) -> None:
        """Try dilations around that of the layer, with equal weights."""
        layer = self.op_layer
        rates = expand_rates(layer.dilation, self.global_config)
        # Along a dimension in which the kernel has no dilation to search, it stays.
        rates = [tuple(rate if searchable(size) else own for rate, size, own in zip(
            each, layer.kernel_size, layer.dilation, strict=True)) for each in rates]
        self._tell('dilations %s are tried', rates)
        self.dilation_rates = rates
        self.branch_weights.data.fill_(self.global_config['init_alphas'])

    def get_padding(self, dilation: Rate) -> tuple[int, ...]:
        """Padding by which a branch keeps the size but for the stride."""
        layer = self.op_layer
        return tuple(map(get_single_padding, layer.kernel_size, layer.stride, dilation))

    def _tell(self, *message: object) -> None:
        if self.verbose:
            logging.getLogger('mmseg').info(*message)
