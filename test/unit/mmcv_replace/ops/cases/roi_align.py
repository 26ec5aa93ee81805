from math import ceil

import torch

from mmcv_replace.ops import roi_align

from ..op_cases import Case, uniform


def axis_samples(start, end, bins, ratio, aligned):
    """Positions in each bin."""
    size = end - start if aligned else max(end - start, 1)
    length = size / bins
    count = ratio or ceil(length)
    return [[start + place * length + (j + 0.5) * length / count for j in range(count)]
            for place in range(bins)]


def bilinear(image, y, x):
    """Sample of [C, H, W]: the edge up to a pixel beyond it, zeros further outside."""
    height, width = image.shape[1:]
    if y < -1 or x < -1 or y > height or x > width:
        return 0 * image[:, 0, 0]
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    return ((1 - down) * ((1 - across) * image[:, top, left] + across * image[:, top, right])
            + down * ((1 - across) * image[:, bottom, left] + across * image[:, bottom, right]))


def plain_roi_align(x, rois, size, scale, ratio, mode, aligned):
    found = []
    for number, *corners in rois.tolist():
        left, top, right, bottom = (c * scale - 0.5 * aligned for c in corners)
        rows = axis_samples(top, bottom, size[0], ratio, aligned)
        columns = axis_samples(left, right, size[1], ratio, aligned)
        for ys in rows:
            for xs in columns:
                samples = [bilinear(x[int(number)], a, b) for a in ys for b in xs]
                if not samples:
                    found.append(0 * x[0, :, 0, 0] + (0 if mode == 'avg' else -10000))
                elif mode == 'avg':
                    found.append(sum(samples) / len(samples))
                else:
                    found.append(torch.stack(samples).max(0).values)
    return torch.stack(found).view(len(rois), *size, -1).permute(0, 3, 1, 2)


BOXES = [[1, 2, 3, 17, 15], [0, 1.5, 0.25, 4.75, 9.5], [1, -6, -4, 9, 30], [0, 3, 3, 3.5, 4],
         [1, 40, 40, 50, 60], [0, 0, 0, 12, 14]]


def case(size, scale, ratio, mode, aligned, boxes=BOXES, low_precision=8):
    options = size, scale, ratio, mode, aligned
    reads = None if ratio else 'reads the sizes of the RoIs'
    return Case('-'.join(['roi_align', *(str(option).replace(' ', '') for option in options)]),
                lambda x, rois: roi_align(x, rois, *options),
                lambda: (uniform(2, 3, 7, 6), torch.tensor(boxes).double()),
                lambda x, rois: plain_roi_align(x, rois, *options), constant=(1,), fixed_type=(1,),
                waits=0 if ratio else 1, export=reads, compiles=reads, low_precision=low_precision)


CASES = [
    case((3, 2), 0.5, 2, 'avg', True),
    case((2, 3), 0.5, 1, 'avg', False),
    case((2, 2), 0.25, 3, 'avg', True),
    case((3, 2), 0.5, 0, 'avg', True, [*BOXES, [0, 4, 4, 4, 4]]),
    case((1, 2), 1.0, 0, 'avg', False, [*BOXES, [1, -200, -300, 150, 400]]),
    case((3, 2), 0.5, 2, 'max', True),
    case((2, 3), 0.5, 1, 'max', False),
    case((2, 2), 0.5, 0, 'max', True),
    case((1, 2), 1.0, 0, 'max', False, [*BOXES, [1, -20, -30, 15, 40]]),
]
