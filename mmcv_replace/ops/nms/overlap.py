"""IoU of boxes on the host, rounded as in a plain loop."""
import torch
from torch import Tensor


def overlap(one: Tensor, other: Tensor, offset: int) -> Tensor:
    """IoU of boxes that broadcast, in their type.

    one, other: bounds along one axis (low, high), along the other, and areas. In torch, which is
    several times as fast as NumPy at operations that broadcast.
    """
    left, right, top, bottom, area = one.unbind()
    left2, right2, top2, bottom2, area2 = other.unbind()
    width = common(left, right, left2, right2, offset).clamp_(min=0)
    height = common(top, bottom, top2, bottom2, offset).clamp_(min=0)
    both = width.mul_(height)
    return both.div_(torch.add(area, area2, out=height).sub_(both))


def common(low: Tensor, high: Tensor, low2: Tensor, high2: Tensor, offset: int) -> Tensor:
    """Length of the common part along an axis, negative where boxes are apart."""
    part = torch.minimum(high, high2).sub_(torch.maximum(low, low2))
    return part.add_(offset) if offset else part
