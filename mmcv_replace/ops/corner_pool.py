"""Corner pooling (CornerNet, arXiv:1808.01244)."""
import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.trace import is_traced

from .kernels import run

# Dimension, and whether the maximum is over later pixels.
_MODES = {'bottom': (2, False), 'left': (3, True), 'right': (3, False), 'top': (2, True)}


class CornerPool(nn.Module):
    """Largest value from each pixel to one border of the map.

    `mode` 'top' takes the maximum over the pixel and all below it, which a corner at the top of a
    box needs; 'bottom' over all above, 'left' over all to the right, 'right' over all to the left.
    x: [N, C, H, W] -> [N, C, H, W]. The gradient goes to the largest value, of equal ones to the
    last on the way from the border.
    Cost: N C H W comparisons, a copy and an index of 8 bytes an element as memory; in traced graphs
    and on the NPU log2(H) or log2(W) times as many, and a byte for each of these.

    Raises ConfigError for another `mode`, and for an input of another shape.
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        if mode not in _MODES:
            raise ConfigError(f'CornerPool: mode={mode!r} is not one of {", ".join(_MODES)}')
        self.mode = mode

    def extra_repr(self) -> str:
        return f'mode={self.mode!r}'

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            raise ConfigError(f'CornerPool: an input of shape {tuple(x.shape)} is not [N, C, H, W]')
        dim, reverse = _MODES[self.mode]
        # ONNX has no cumulative maximum.
        if is_traced():
            return doubled_max(x, dim, reverse)
        return run('running_max', plain_running_max, x, dim, reverse)


def plain_running_max(x: Tensor, dim: int, reverse: bool) -> Tensor:
    """Maximum over each element and all before it, with `reverse` all behind it, along a dimension.
    """
    # On the host several times as fast along the last dimension.
    x = x.transpose(dim, 3).contiguous()
    x = x.flip(3).cummax(3).values.flip(3) if reverse else x.cummax(3).values
    return x.transpose(dim, 3).contiguous()


def doubled_max(x: Tensor, dim: int, reverse: bool) -> Tensor:
    """`plain_running_max` by comparing alone.

    Each step doubles the number of elements that the maxima are over. The gradient goes where that
    of `torch.cummax` goes.
    """
    size, step = x.shape[dim], 1
    while step < size:
        late, early = x.narrow(dim, step, size - step), x.narrow(dim, 0, size - step)
        own, other = (early, late) if reverse else (late, early)
        # torch.maximum would share the gradient among equal values.
        larger = torch.where((other > own) | (other != other), other, own)
        kept = x.narrow(dim, size - step if reverse else 0, step)
        x = torch.cat([larger, kept] if reverse else [kept, larger], dim)
        step *= 2
    return x
