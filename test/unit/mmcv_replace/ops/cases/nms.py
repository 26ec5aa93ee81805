import math

import numpy as np
import torch

from mmcv_replace.ops.nms import batched_nms, nms, soft_nms

from ..op_cases import Case, uniform

VARIES = 'the number of boxes depends on their values'


def boxes(count, seed=0, classes=0):
    """Boxes and scores that differ from each other, and classes if there are several."""
    low = uniform(count, 2, seed=seed) * 8 + 9
    size = (uniform(count, 2, seed=seed + 1) + 1) * 4 + 1
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randperm(count, generator=generator).double() / 128 + 1 / 128
    found = torch.cat([low, low + size], 1).mul(8).round().div(8), scores
    return (*found, torch.arange(count) * 7 % classes) if classes else found


def iou(a, b, offset):
    width = max(min(a[2], b[2]) - max(a[0], b[0]) + offset, 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]) + offset, 0)
    areas = [(x2 - x1 + offset) * (y2 - y1 + offset) for x1, y1, x2, y2 in (a, b)]
    return width * height / (sum(areas) - width * height)


def dets(found, scores, kept):
    return torch.cat([found[kept], torch.stack([scores[i] for i in kept])[:, None]], 1), kept


def plain_nms(found, scores, threshold, offset=0):
    rows = found.tolist()
    kept = []
    for i in sorted(range(len(rows)), key=lambda i: -scores[i].item()):
        if all(iou(rows[i], rows[k], offset) <= threshold for k in kept):
            kept.append(i)
    return dets(found, scores, torch.tensor(kept))


def plain_batched(found, scores, classes, threshold):
    rows, kinds = found.tolist(), classes.tolist()
    kept = []
    for i in sorted(range(len(rows)), key=lambda i: -scores[i].item()):
        if all(iou(rows[i], rows[k], 0) <= threshold for k in kept if kinds[k] == kinds[i]):
            kept.append(i)
    return dets(found, scores, torch.tensor(kept))


def plain_soft(found, scores, weight, lowest, offset=0):
    rows = found.tolist()
    left, kept = dict(enumerate(scores.tolist())), {}
    while left:
        best = max(left, key=left.get)
        kept[best] = left.pop(best)
        left = {i: score * weight(iou(rows[best], rows[i], offset)) for i, score in left.items()}
        left = {i: score for i, score in left.items() if score >= lowest}
    new = torch.tensor([kept.get(i, 0) for i in range(len(rows))]).to(scores)
    return dets(found, new, torch.tensor(list(kept)))


def soft(name, weight, lowest, **options):
    return Case(f'soft_nms-{name}',
                lambda *x: soft_nms(*x, 0.3, min_score=lowest, **options), lambda: boxes(40, 5),
                lambda *x: plain_soft(*x, weight, lowest, options.get('offset', 0)),
                differentiable=False, waits=1, export=VARIES, compiles=VARIES)


def draw(kind, count, seed=0):
    """Boxes and scores in float32, with equal ones among them."""
    generator = np.random.default_rng([seed, count])
    extent = {'sparse': 20 * count ** 0.5, 'dense': 40}.get(kind, 300)
    low = generator.uniform(0, extent, (count, 2))
    size = generator.uniform(2, 30, (count, 2))
    if kind == 'grid':
        low, size = low // 15, size // 6
    if kind in ('column', 'row'):
        low[:, int(kind == 'row')] /= 100
    found = np.concatenate([low, low + size], 1)
    if kind == 'inverted':
        found = generator.integers(-9, 9, (count, 4)).astype(float)
    if kind == 'special':
        chosen = generator.random((count, 4)) < 0.1
        found[chosen] = generator.choice([np.nan, np.inf, -np.inf, 0, 1e30], chosen.sum())
    scores = generator.uniform(0, 1, count).round(2)
    return torch.from_numpy(found).float(), torch.from_numpy(scores).float()


CASES = [
    *(Case(f'nms-{threshold}-{offset}',
           lambda *x, t=threshold, o=offset: nms(*x, t, offset=o), lambda: boxes(90),
           lambda *x, t=threshold, o=offset: plain_nms(*x, t, o),
           waits=1, export=VARIES, compiles=VARIES)
      for threshold in (0.1, 0.5, 0.7) for offset in (0, 1)),
    *(Case(f'batched_nms-{name}',
           lambda *x, split=split: batched_nms(*x, dict(iou_threshold=0.3, split_thr=split)),
           lambda: boxes(70, 3, classes=3), lambda *x: plain_batched(*x, 0.3),
           waits=1, export=VARIES, compiles=VARIES)
      for name, split in (('moved', 71), ('split', 70))),
    soft('linear', lambda x: 1 - x if x >= 0.3 else 1, 0.05),
    soft('naive', lambda x: x < 0.3, 0.05, method='naive', offset=1),
    soft('gaussian', lambda x: math.exp(-x * x / 0.25), 0.1, method='gaussian', sigma=0.25),
]
