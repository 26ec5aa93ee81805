"""Features at points of maps, and the coordinates that such points have in boxes and images."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from ..utils.errors import ArgumentError
from .precision import wide_type
from .roi_align import check_rois
from .sampling.bilinear import bilinear_corners
from .sampling.weighted_rows import as_table, weighted_rows


def bilinear_grid_sample(im: Tensor, grid: Tensor, align_corners: bool = False) -> Tensor:
    """grid_sample with zeros around the map, of weighted sums of pixels alone.

    For runtimes without that operator. im: [N, C, H, W]; grid: [N, P, Q, 2], x and y from -1 to 1
    -> [N, C, P, Q]. Differentiable in both. Cost: 8 C operations a point; memory: a copy of im.
    """
    wide = grid.to(wide_type(im.dtype))
    number = torch.arange(im.shape[0], dtype=torch.int32, device=im.device)
    rows = _sample(im, number, wide.flatten(1, 2), align_corners)
    return rows.unflatten(1, grid.shape[1:3]).permute(0, 3, 1, 2).contiguous()


def _sample(maps: Tensor, number: Tensor, grid: Tensor, align_corners: bool) -> Tensor:
    """Samples [K, P, C] of maps [N, C, H, W], with the int32 numbers [K], at grid: [K, P, 2]."""
    _, channels, height, width = maps.shape
    x, y = (_to_pixels(place, size, align_corners)
            for place, size in zip(grid.unbind(-1), (width, height), strict=True))
    index, weight = bilinear_corners(y, x, height, width)
    index = index + number.view(-1, 1, 1) * (height * width)
    rows = weighted_rows(as_table(maps), index.flatten(0, 1), weight.flatten(0, 1))
    return rows.view(*grid.shape[:2], channels)


def _to_pixels(place: Tensor, size: int, align_corners: bool) -> Tensor:
    """Position in pixels of a coordinate from -1 to 1."""
    if align_corners:
        return (place + 1) / 2 * (size - 1)
    return ((place + 1) * size - 1) / 2


def normalize(grid: Tensor) -> Tensor:
    """Coordinates from [0, 1] to [-1, 1]."""
    return grid * 2 - 1


def denormalize(grid: Tensor) -> Tensor:
    """Coordinates from [-1, 1] to [0, 1]."""
    return (grid + 1) / 2


def generate_grid(num_grid: int, size: int | tuple[int, int],
                  device: torch.device | str) -> Tensor:
    """Centres of size = (H, W) cells of a box, x and y in [0, 1]: [num_grid, H W, 2]."""
    return _cells(_pair(size), device, torch.float32).expand(num_grid, -1, -1)


def _cells(size: tuple[int, int], device: torch.device | str, dtype: torch.dtype) -> Tensor:
    """The grid [1, H W, 2] of `generate_grid`."""
    y, x = ((torch.arange(n, device=device, dtype=dtype) + 0.5) / n for n in size)
    y, x = torch.meshgrid(y, x, indexing='ij')
    return torch.stack([x, y], -1).view(1, -1, 2)


def rel_roi_point_to_abs_img_point(rois: Tensor, rel_roi_points: Tensor) -> Tensor:
    """Points in pixels of the image, of those relative to boxes.

    rois: [K, 4] or [K, 5], x1, y1, x2, y2, after the number of the image where there are five;
    rel_roi_points: [K, P, 2], x and y in [0, 1] -> [K, P, 2]. Raises ArgumentError for other
    shapes, and where the numbers of boxes differ.
    """
    if rois.dim() != 2 or rois.shape[1] not in (4, 5) or (
            rel_roi_points.dim() != 3 or rel_roi_points.shape[2] != 2):
        raise ArgumentError(
            f'rel_roi_point_to_abs_img_point: rois are of shape {tuple(rois.shape)} and points of '
            f'{tuple(rel_roi_points.shape)}: give [K, 4] or [K, 5], and [K, P, 2]')
    if len(rois) != len(rel_roi_points):
        raise ArgumentError(f'rel_roi_point_to_abs_img_point: there are {len(rois)} rois and '
                            f'points for {len(rel_roi_points)}: give points for each')
    *_, corner, other = rois.unsqueeze(1).split([rois.shape[1] - 4, 2, 2], -1)
    return rel_roi_points * (other - corner) + corner


def get_shape_from_feature_map(x: Tensor) -> Tensor:
    """Width and height of a map [N, C, H, W], as floats [1, 1, 2] on its device."""
    size = x.new_ones(1, 1, 2, dtype=torch.float32)
    return torch.cat([size[..., :1] * x.shape[3], size[..., 1:] * x.shape[2]], -1)


def abs_img_point_to_rel_img_point(abs_img_points: Tensor, img: Tensor | tuple[int, int],
                                   spatial_scale: float = 1.) -> Tensor:
    """Points relative to an image, in [0, 1], of those in pixels.

    abs_img_points: [K, P, 2], x and y; img: (height, width), or a map [N, C, H, W] of which
    spatial_scale is a pixel of the points: a map of stride 4 has 0.25 -> [K, P, 2]. Raises
    ArgumentError for another img.
    """
    if isinstance(img, Tensor):
        height, width = img.shape[-2:]
    elif isinstance(img, tuple) and len(img) == 2:
        height, width = img
    else:
        raise ArgumentError('abs_img_point_to_rel_img_point: img is '
                            f'{img!r}: give a map [N, C, H, W] or a tuple (height, width)')
    x, y = abs_img_points.unbind(-1)
    return torch.stack([x / width, y / height], -1) * spatial_scale


def rel_roi_point_to_rel_img_point(rois: Tensor, rel_roi_points: Tensor,
                                   img: Tensor | tuple[int, int],
                                   spatial_scale: float = 1.) -> Tensor:
    """Points relative to an image, in [0, 1], of those relative to boxes.

    rois: [K, 4] or [K, 5]; rel_roi_points: [K, P, 2], x and y; img and spatial_scale as in
    `abs_img_point_to_rel_img_point` -> [K, P, 2].
    """
    points = rel_roi_point_to_abs_img_point(rois, rel_roi_points)
    return abs_img_point_to_rel_img_point(points, img, spatial_scale)


def point_sample(input: Tensor, points: Tensor, align_corners: bool = False,
                 **kwargs: str) -> Tensor:
    """Features of a map at points, interpolated (PointRend, arXiv:1912.08193).

    input: [N, C, H, W]; points: [N, P, 2] or [N, Hgrid, Wgrid, 2], x and y in [0, 1], where 0 and 1
    are the outer borders of the map, or, with align_corners, the centres of its outer pixels ->
    [N, C, P] or [N, C, Hgrid, Wgrid] in the type of the map. kwargs are those of torch's
    grid_sample: mode, padding_mode. Differentiable in both.
    Cost: 8 C operations a point; memory: the result, and a copy in float32 of a map in 16 bits, in
    which positions would be off by up to half a pixel. Raises ArgumentError for a map of whole
    numbers.
    """
    if not input.is_floating_point():
        raise ArgumentError(f'point_sample: the map is of {input.dtype}, to which means would be '
                            'rounded down: convert it to a floating-point type')
    listed, wide = points.dim() == 3, wide_type(input.dtype)
    grid = normalize((points.unsqueeze(2) if listed else points).to(wide))
    out = F.grid_sample(input.to(wide), grid, align_corners=align_corners, **kwargs)
    return (out.squeeze(3) if listed else out).to(input.dtype)


class SimpleRoIAlign(nn.Module):
    """RoIAlign with one sample a bin, at its centre, as PointRend uses it (arXiv:1912.08193).

    output_size: (P, Q) bins; spatial_scale: pixels of the map in one of the image; aligned: the
    centre of a pixel is its position, not its corner. features [N, C, H, W], rois [K, 5] ->
    [K, C, P, Q]. Cost: 8 C operations a bin; memory: the result and a copy of the map.
    Raises ArgumentError for other shapes, and for images that do not exist.
    """

    def __init__(self, output_size: int | tuple[int, int], spatial_scale: float,
                 aligned: bool = True) -> None:
        super().__init__()
        self.output_size = _pair(output_size)
        self.spatial_scale = float(spatial_scale)
        self.aligned = aligned
        self.use_torchvision = False

    def forward(self, features: Tensor, rois: Tensor) -> Tensor:
        check_rois('SimpleRoIAlign', features, rois)
        wide = rois.to(wide_type(features.dtype))
        points = _cells(self.output_size, wide.device, wide.dtype).expand(rois.shape[0], -1, -1)
        points = rel_roi_point_to_rel_img_point(wide, points, features, self.spatial_scale)
        rows = _sample(features, wide[:, 0].int(), normalize(points), not self.aligned)
        return rows.transpose(-2, -1).reshape(rois.shape[0], features.shape[1], *self.output_size)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(output_size={self.output_size}, '
                f'spatial_scale={self.spatial_scale})')
