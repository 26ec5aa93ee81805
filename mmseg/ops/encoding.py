"""Encoding of feature maps by learned codewords (EncNet, arXiv:1803.08904)."""

import torch
from torch import Tensor, nn

from mmcv_replace.ops.precision import wide_type
from mmcv_replace.utils.autocast import no_autocast
from mmcv_replace.utils.errors import ConfigError


class Encoding(nn.Module):
    """Sums of the differences between features and codewords, by soft assignment.

    x: [N, channels, H, W] -> [N, num_codes, channels]. A feature belongs to the codewords by the
    softmax over `scale` times its squared distances from them. `codewords`: [num_codes, channels],
    first uniform between -s and s, where 1 / s^2 is the number of their elements; `scale`:
    [num_codes], first uniform between -1 and 0. Computed in float32 at least, also under autocast;
    the result has the wider type of x and the codewords.
    Cost: 4 N H W num_codes channels operations; memory: a copy of x, the weights
    [N, num_codes, H, W] and the result. Raises ConfigError for numbers below 1
    and for an input of another shape.
    """

    def __init__(self, channels: int, num_codes: int) -> None:
        super().__init__()
        if min(channels, num_codes) < 1:
            raise ConfigError(f'Encoding: channels={channels} and num_codes={num_codes} must be 1 '
                              'or more')
        self.channels, self.num_codes = channels, num_codes
        std = (num_codes * channels) ** -0.5
        self.codewords = nn.Parameter(torch.empty(num_codes, channels).uniform_(-std, std))
        self.scale = nn.Parameter(torch.empty(num_codes).uniform_(-1, 0))

    @staticmethod
    def scaled_l2(x: Tensor, codewords: Tensor, scale: Tensor) -> Tensor:
        """scale[k] |x[n, p] - codewords[k]|^2, as [N, P, K].

        x: [N, P, C], codewords: [K, C], scale: [K]. By |x|^2 - 2 x . c + |c|^2, in which digits
        cancel where points are much closer to the codewords than to the origin.
        Cost: 2 N P K C operations; memory: the squares of x and the result, where the differences
        would be N P K C numbers.
        """
        squares = x.square().sum(2).unsqueeze(1) + codewords.square().sum(1, keepdim=True)
        points = x.transpose(-2, -1)
        distance = torch.baddbmm(squares, codewords.expand(x.shape[0], -1, -1), points, alpha=-2)
        return (scale.unsqueeze(1) * distance).transpose(-2, -1)

    @staticmethod
    def aggregate(assignment_weights: Tensor, x: Tensor, codewords: Tensor) -> Tensor:
        """Sum over p of assignment_weights[n, p, k] (x[n, p] - codewords[k]), as [N, K, C].

        assignment_weights: [N, P, K], x: [N, P, C], codewords: [K, C]. By the sum of the weighted
        points, less the codewords times the sum of their weights.
        Cost: 2 N P K C operations; memory: the result.
        """
        totals = assignment_weights.sum(1).unsqueeze(2)
        return torch.bmm(assignment_weights.transpose(-2, -1), x) - totals * codewords

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4 or x.shape[1] != self.channels:
            raise ConfigError(f'Encoding: an input of shape {tuple(x.shape)} is not '
                              f'[N, {self.channels}, H, W]')
        dtype = torch.promote_types(x.dtype, self.codewords.dtype)
        wide = wide_type(dtype)
        codewords, scale = self.codewords.to(wide), self.scale.to(wide)
        # Differences stay the same, and few digits cancel where all codewords are far from 0.
        middle = codewords.detach().mean(0)
        codewords = codewords - middle
        points = (x.flatten(2) - middle.unsqueeze(1)).transpose(-2, -1)
        with no_autocast(x):
            weights = self.scaled_l2(points, codewords, scale).softmax(2)
            return self.aggregate(weights, points, codewords).to(dtype)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(Nx{self.channels}xHxW =>'
                f'Nx{self.num_codes}x{self.channels})')
