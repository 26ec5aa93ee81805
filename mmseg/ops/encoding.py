"""Encoding of feature maps by learned codewords (EncNet, arXiv:1803.08904)."""
import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError


class Encoding(nn.Module):
    """Sums of the differences of features from codewords, by soft assignment.

    x: [N, channels, H, W] -> [N, num_codes, channels]. A feature belongs to the codewords by the
    softmax of `scale` times their squared distances. `codewords`: [num_codes, channels], uniform
    between -1 and 1 over the root of their number of elements; `scale`: [num_codes], uniform
    between -1 and 0. See `scaled_l2` and `aggregate` for the cost. Computed in float32 at least,
    also under autocast; the result is in the wider type of x and codewords. Raises ConfigError for
    an input of another shape.
    """

    def __init__(self, channels: int, num_codes: int) -> None:
        super().__init__()
        self.channels, self.num_codes = channels, num_codes
        std = (num_codes * channels) ** -0.5
        self.codewords = nn.Parameter(torch.empty(num_codes, channels).uniform_(-std, std))
        self.scale = nn.Parameter(torch.empty(num_codes).uniform_(-1, 0))

    @staticmethod
    def scaled_l2(x: Tensor, codewords: Tensor, scale: Tensor) -> Tensor:
        """scale[k] |x[n, p] - codewords[k]|^2, as [N, P, K].

        x: [N, P, C], codewords: [K, C], scale: [K]. By |x|^2 - 2 x . c + |c|^2, with all points
        relative to the mean codeword, so that little cancels near the codewords.
        Cost: 2 N P K C operations; memory: one tensor as large as x and the result, where the
        differences would take N P K C numbers.
        """
        return _scaled_l2(x.mT, codewords, scale).mT

    @staticmethod
    def aggregate(assignment_weights: Tensor, x: Tensor, codewords: Tensor) -> Tensor:
        """Sum over p of assignment_weights[n, p, k] (x[n, p] - codewords[k]), as [N, K, C].

        assignment_weights: [N, P, K], x: [N, P, C], codewords: [K, C]. The weights of a codeword
        are summed first. Cost: 2 N P K C operations; memory: the result.
        """
        return _aggregate(assignment_weights.mT, x.mT, codewords)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4 or x.shape[1] != self.channels:
            raise ConfigError(f'Encoding: an input of shape {tuple(x.shape)} is not '
                              f'[N, {self.channels}, H, W]')
        return x
