"""Bilinear interpolation along one axis, for a part of the result."""
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Between:
    """Between which pixels of the source each pixel of the target lies.

    first, second: their places [target]; weight: that of `second` [target].
    """

    first: Tensor
    second: Tensor
    weight: Tensor

    def part(self, begin: int, end: int, origin: int) -> 'Between':
        """That of the target from `begin` to `end`, in a source that begins with pixel `origin`."""
        return Between(self.first[begin:end] - origin, self.second[begin:end] - origin,
                       self.weight[begin:end])

    def to(self, device: torch.device) -> 'Between':
        return Between(self.first.to(device), self.second.to(device), self.weight.to(device))

    def mix(self, maps: Tensor, dim: int) -> Tensor:
        """Maps interpolated along an axis."""
        shape = [-1 if axis == dim else 1 for axis in range(maps.dim())]
        first, second = (maps.index_select(dim, taken).to(self.weight.dtype)
                         for taken in (self.first, self.second))
        return torch.lerp(first, second, self.weight.view(shape))


def pixels_between(source: int, target: int, align_corners: bool, dtype: torch.dtype) -> Between:
    """By the formula of `torch.nn.functional.interpolate`, and in the precision in which it
    computes for maps of a type.
    """
    dtype = torch.promote_types(dtype, torch.float32)
    pixel = torch.arange(target, dtype=dtype)
    if align_corners:
        place = pixel * (torch.tensor(source - 1, dtype=dtype) / max(target - 1, 1))
    else:
        place = (torch.tensor(source, dtype=dtype) / target * (pixel + 0.5) - 0.5).clamp(min=0)
    first = place.long().clamp(max=source - 1)
    return Between(first, (first + 1).clamp(max=source - 1), (place - first).clamp(0, 1))
