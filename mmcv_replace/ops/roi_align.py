"""RoIAlign: features of boxes, by bilinear samples in a regular grid of bins."""
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from ..device import is_asynchronous
from ..utils.errors import ArgumentError
from ..utils.misc.optional import import_optional
from ..utils.trace import is_traced
from .function_names import as_function
from .kernels import run
from .precision import wide_type
from .roi.bin_samples import largest_sample
from .roi.mean import mean_of_samples
from .roi.samples import Grid

POOL_MODES = {'avg': mean_of_samples, 'max': largest_sample}


def roi_align(input: Tensor, rois: Tensor, output_size: int | tuple[int, int],
              spatial_scale: float = 1.0, sampling_ratio: int = 0, pool_mode: str = 'avg',
              aligned: bool = True) -> Tensor:
    """Features of boxes, without rounding them to pixels (arXiv:1703.06870).

    input: [N, C, H, W]; rois: [K, 5], numbers of images and corners x1, y1, x2, y2 in pixels of the
    image, of which spatial_scale is a pixel of the map; output_size: (P, Q) -> [K, C, P, Q].
    Each of P x Q bins of a box holds sampling_ratio x sampling_ratio samples, or, where that is 0,
    as many as make them at most a pixel apart; its value is their mean or, with pool_mode='max',
    the largest. `aligned` takes the centre of a pixel, not its corner, for its position; without it
    boxes are at least a pixel large. Samples up to a pixel beyond the map have the value of its
    edge, others 0. Positions are computed in float32 at least. Differentiable once, in the input.

    A bin without samples, that of a box without a size where sampling_ratio is 0, is 0, or -10000
    with pool_mode='max', as in mmcv. Means at positions that are no numbers are NaN.
    Cost: at most 8 C operations a sample with either mode; samples of a bin that are at most a
    pixel apart share their pixels, so that n x n of them cost 2 C (n + 1)^2. Memory: an eighth of
    the map, and with 'max' a byte for each value of the output, or 4 for bins of 256 samples.
    With sampling_ratio=0 the host waits for the device once, and no export is possible.
    Raises ArgumentError for another pool_mode or shape, UsageError in an export of
    sampling_ratio=0.
    """
    if pool_mode not in POOL_MODES:
        raise ArgumentError(f'roi_align: pool_mode is {pool_mode!r}; choose '
                            f'{" or ".join(map(repr, POOL_MODES))}')
    check_rois('roi_align', input, rois)
    grid = Grid(bins_of('roi_align', output_size), float(spatial_scale), int(sampling_ratio),
                bool(aligned))
    return run('roi_align', plain_roi_align, input, rois.detach(), grid, pool_mode)


RoIAlignFunction = as_function('RoIAlignFunction', roi_align)


def plain_roi_align(x: Tensor, rois: Tensor, grid: Grid, pool_mode: str) -> Tensor:
    """`roi_align` by weighted sums of pixels."""
    return POOL_MODES[pool_mode](x, rois.to(wide_type(x.dtype)), grid)


def bins_of(user: str, output_size: int | tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of bins; raise ArgumentError where the operator `user` has no bins."""
    pair = _pair(output_size)
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise ArgumentError(f'{user}: output_size={output_size!r} must be a number, or rows and '
                            'columns, of bins: whole numbers from 1 on')
    return pair


def check_rois(user: str, x: Tensor, rois: Tensor) -> None:
    """Raise ArgumentError unless a map and its RoIs fit each other, for the operator `user`.

    Numbers of images are looked at on the host alone: an accelerator would have to wait for that.
    """
    if x.dim() != 4:
        raise ArgumentError(f'{user}: the input is of shape {tuple(x.shape)}, and [N, C, H, W] is '
                            'wanted: add or merge dimensions')
    if not x.is_floating_point():
        raise ArgumentError(f'{user}: the input is of {x.dtype}: convert it to a floating-point '
                            'type')
    if rois.dim() != 2 or rois.shape[1] != 5:
        raise ArgumentError(f'{user}: rois are of shape {tuple(rois.shape)}, and [K, 5] is wanted: '
                            'the number of the image and x1, y1, x2, y2')
    if rois.numel() and not is_traced() and not is_asynchronous(rois.device):
        numbers = rois[:, 0]
        if not bool(((numbers >= 0) & (numbers < len(x))).all()):
            raise ArgumentError(f'{user}: rois name images from {float(numbers.min())} to '
                                f'{float(numbers.max())}, and the input has those from 0 to '
                                f'{len(x) - 1}')


class RoIAlign(nn.Module):
    """`roi_align` as a layer: x [N, C, H, W] and rois [K, 5] -> [K, C, P, Q].

    use_torchvision: call torchvision's operator, whatever the device; without it the fastest is
    chosen. It has no pool_mode='max', for which ArgumentError is raised; MissingModuleError where
    torchvision cannot be imported.
    """

    def __init__(self, output_size: int | tuple[int, int], spatial_scale: float = 1.0,
                 sampling_ratio: int = 0, pool_mode: str = 'avg', aligned: bool = True,
                 use_torchvision: bool = False) -> None:
        super().__init__()
        if use_torchvision and pool_mode != 'avg':
            raise ArgumentError(f'RoIAlign: pool_mode={pool_mode!r} has no counterpart in '
                                "torchvision: set use_torchvision=False or pool_mode='avg'")
        self.output_size = _pair(output_size)
        self.spatial_scale = float(spatial_scale)
        self.sampling_ratio = int(sampling_ratio)
        self.pool_mode = pool_mode
        self.aligned = aligned
        self.use_torchvision = use_torchvision

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        if self.use_torchvision:
            vision = import_optional('torchvision.ops', 'RoIAlign(use_torchvision=True)',
                                     'install the torchvision of this torch, or set '
                                     'use_torchvision=False, which gives the same')
            return vision.roi_align(input, rois.to(input.dtype), self.output_size,
                                    self.spatial_scale, self.sampling_ratio, self.aligned)
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio,
                         self.pool_mode, self.aligned)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(output_size={self.output_size}, '
                f'spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio}, '
                f'pool_mode={self.pool_mode}, aligned={self.aligned}, '
                f'use_torchvision={self.use_torchvision})')
