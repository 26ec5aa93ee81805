import torch

from mmcv_replace.ops.bbox import bbox_overlaps

from ..op_cases import Case
from .nms import boxes


def area(box, offset):
    return (box[2] - box[0] + offset) * (box[3] - box[1] + offset)


def overlap(a, b, mode, offset):
    sides = [torch.minimum(a[k + 2], b[k + 2]) - torch.maximum(a[k], b[k]) + offset for k in (0, 1)]
    common = sides[0].clamp(min=0) * sides[1].clamp(min=0)
    first = area(a, offset)
    return common / (first + area(b, offset) - common if mode == 'iou' else first)


def plain(one, other, mode='iou', aligned=False, offset=0):
    if aligned:
        return torch.stack([overlap(a, b, mode, offset) for a, b in zip(one, other, strict=True)])
    return torch.stack([torch.stack([overlap(a, b, mode, offset) for b in other]) for a in one])


def inputs():
    """Boxes whose bounds differ: the gradient is not continuous at equal ones."""
    one, other = (boxes(*size)[0].mul(4).round().div(4) for size in ((12,), (9, 7)))
    return one, other + 0.125


CASES = [
    Case('bbox_overlaps-' + '-'.join(map(str, options.values())),
         lambda *x, options=options: bbox_overlaps(*x, **options),
         inputs if not options.get('aligned') else lambda: (inputs()[0][:9], inputs()[1]),
         lambda *x, options=options: plain(*x, **options))
    for options in ({}, dict(mode='iof'), dict(aligned=True), dict(offset=1),
                    dict(mode='iof', aligned=True, offset=1))]
