from math import floor

import torch

from mmcv_replace.ops import SimpleRoIAlign, point_sample, rel_roi_point_to_rel_img_point
from mmcv_replace.ops.point_sample import bilinear_grid_sample

from ..op_cases import Case, uniform


def sample(image, y, x):
    """Sample of [C, H, W] with zeros around it."""
    height, width = image.shape[1:]
    top, left = (floor(torch.as_tensor(place).detach()) for place in (y, x))
    total = 0 * image[:, 0, 0]
    for i in (top, top + 1):
        for j in (left, left + 1):
            if 0 <= i < height and 0 <= j < width:
                total = total + (1 - abs(y - i)) * (1 - abs(x - j)) * image[:, i, j]
    return total


def plain_point_sample(x, points, align_corners):
    height, width = x.shape[2:]
    found = []
    for image, own in zip(x, points.flatten(1, -2), strict=True):
        for right, down in own:
            if align_corners:
                found.append(sample(image, down * (height - 1), right * (width - 1)))
            else:
                found.append(sample(image, down * height - 0.5, right * width - 0.5))
    return torch.stack(found).view(len(x), -1, x.shape[1]).mT.unflatten(2, points.shape[1:-1])


def plain_simple(features, rois, size, scale, aligned):
    found = []
    for number, left, top, right, bottom in rois.tolist():
        image = features[int(number)]
        for p in range(size[0]):
            for q in range(size[1]):
                y = (top + (bottom - top) * (p + 0.5) / size[0]) * scale
                x = (left + (right - left) * (q + 0.5) / size[1]) * scale
                if aligned:
                    y, x = y - 0.5, x - 0.5
                else:
                    y, x = y / image.shape[1] * (image.shape[1] - 1), x / image.shape[2] * (
                        image.shape[2] - 1)
                found.append(sample(image, y, x))
    return torch.stack(found).view(len(rois), *size, -1).permute(0, 3, 1, 2)


def plain_relative(rois, points):
    return torch.stack([torch.stack([torch.stack([
        (roi[1] + (roi[3] - roi[1]) * x) / 20 * 0.5, (roi[2] + (roi[4] - roi[2]) * y) / 10 * 0.5])
        for x, y in own]) for roi, own in zip(rois, points, strict=True)])


def points(*shape):
    """Points of which some lie outside; none is halfway between pixels' centres and borders."""
    return uniform(*shape, 2, seed=3) * 0.6 + 0.5137


def sampled(align_corners, *shape):
    return Case(f'point_sample-{align_corners}-{len(shape)}d',
                lambda x, p: point_sample(x, p, align_corners),
                lambda: (uniform(2, 3, 5, 4), points(2, *shape)),
                lambda x, p: plain_point_sample(x, p, align_corners), fixed_type=(1,))


def grid(align_corners):
    return Case(f'bilinear_grid_sample-{align_corners}',
                lambda x, p: bilinear_grid_sample(x, p * 2 - 1, align_corners),
                lambda: (uniform(2, 3, 5, 4), points(2, 3, 4)),
                lambda x, p: plain_point_sample(x, p, align_corners), fixed_type=(1,))


def simple(aligned):
    layer = SimpleRoIAlign((2, 3), 0.5, aligned)
    return Case(f'SimpleRoIAlign-{aligned}', layer, lambda: (uniform(2, 3, 5, 4), torch.tensor([
        [1., 0.3, 0.6, 5.1, 8.3], [0, 2.2, 2.7, 4.1, 6.4], [1, -3.1, -2.2, 9.7, 15.3]]).double()),
        lambda x, rois: plain_simple(x, rois, (2, 3), 0.5, aligned), constant=(1,),
        fixed_type=(1,))


CASES = [
    sampled(False, 9), sampled(True, 9), sampled(False, 2, 3), grid(False), grid(True),
    simple(True), simple(False),
    Case('rel_roi_point_to_rel_img_point',
         lambda rois, p: rel_roi_point_to_rel_img_point(rois, p, (10, 20), 0.5),
         lambda: (uniform(2, 5) * 4, points(2, 3)), plain_relative),
]
