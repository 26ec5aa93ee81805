from math import ceil, floor

import torch

from mmcv_replace.ops import roi_pool

from ..op_cases import Case


def plain_roi_pool(x, rois, size, scale):
    limits = x.shape[2:]
    found = []
    for number, left, top, right, bottom in rois.tolist():
        starts = top * scale, left * scale
        ends = (bottom + 1) * scale, (right + 1) * scale
        lengths = [(end - start) / n for start, end, n in zip(starts, ends, size, strict=True)]
        for place in [(p, q) for p in range(size[0]) for q in range(size[1])]:
            spans = []
            for axis in (0, 1):
                first = floor(place[axis] * lengths[axis] + starts[axis])
                last = ceil((place[axis] + 1) * lengths[axis] + starts[axis])
                spans.append(range(max(first, 0), min(last, limits[axis])))
            pixels = [x[int(number), :, i, j] for i in spans[0] for j in spans[1]]
            if not pixels or min(lengths) <= 0:
                pixels = [0 * x[0, :, 0, 0]]
            found.append(torch.stack(pixels).max(0).values)
    return torch.stack(found).view(len(rois), *size, -1).permute(0, 3, 1, 2)


BOXES = [[1, 2, 3, 17, 15], [0, 1.5, 0.25, 4.75, 9.5], [1, -6, -4, 9, 30], [0, 3, 3, 3, 3],
         [1, 40, 40, 50, 60], [0, 9, 9, 4, 12], [0, 0, 0, 12, 14]]


def distinct():
    """A map without two equal values."""
    values = torch.arange(84).double() * 3 % 85
    return (values - 42).view(1, 2, 7, 6).expand(2, -1, -1, -1) * torch.tensor([1, -1]).view(
        2, 1, 1, 1)


def case(size, scale):
    reads = 'reads the sizes of the RoIs'
    return Case(f'roi_pool-{size[0]}x{size[1]}-{scale}',
                lambda x, rois: roi_pool(x, rois, size, scale),
                lambda: (distinct(), torch.tensor(BOXES).double()),
                lambda x, rois: plain_roi_pool(x, rois, size, scale), constant=(1,),
                fixed_type=(1,), waits=1, export=reads, compiles=reads)


CASES = [case((3, 2), 0.5), case((1, 2), 1.0), case((7, 7), 0.25)]
