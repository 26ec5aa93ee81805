"""Operators as one writes them with torch alone, for op_timing.py to compare with."""
import torch
import torch.nn.functional as F


def psa_mask(masks, kind):
    """Selects from a mask of odd size that reaches over all of the map."""
    n, channels, height, width = masks.shape
    side = int(channels ** 0.5)
    rows, columns = torch.arange(height), torch.arange(width)
    y = (rows.view(-1, 1) - rows + side // 2).view(height, 1, height, 1)
    x = (columns.view(-1, 1) - columns + side // 2).view(1, width, 1, width)
    index = (y * side + x).view(1, height * width, height, width).expand(n, -1, -1, -1)
    found = masks.gather(1, index)
    if kind == 'collect':
        return found
    return found.flatten(2).transpose(1, 2).reshape(found.shape)


def deform_conv2d(x, offset, *rest):
    """Samples of all taps by grid_sample, then one product."""
    (*mask, weight), (n, channels, height, width) = rest, x.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    taps = []
    for tap in range(9):
        y = rows + tap // 3 - 1 + offset[:, 2 * tap]
        left = columns + tap % 3 - 1 + offset[:, 2 * tap + 1]
        grid = torch.stack([(2 * left + 1) / width - 1, (2 * y + 1) / height - 1], -1)
        part = F.grid_sample(x, grid, align_corners=False)
        taps.append(part * mask[0][:, tap:tap + 1] if mask else part)
    taps = torch.stack(taps, 2).view(n, channels * 9, height * width)
    return (weight.flatten(1) @ taps).view(n, -1, height, width)


def carafe(features, masks, kernel_size, group_size, scale_factor):
    """Neighbourhoods of all pixels, repeated for each output pixel."""
    (n, _, height, width), k = features.shape, kernel_size
    columns = F.unfold(features, k, padding=k // 2).view(n, -1, height, width)
    columns = F.interpolate(columns, scale_factor=scale_factor)
    columns = columns.view(n, group_size, -1, k * k, *masks.shape[2:])
    return (columns * masks.view(n, group_size, 1, k * k, *masks.shape[2:])).sum(3).flatten(1, 2)


def overlaps(first, second):
    a, b = first[:, None], second[None]
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    areas = [(x[..., 2:] - x[..., :2]).prod(-1) for x in (a, b)]
    return common / (areas[0] + areas[1] - common)


def nms(boxes, scores, threshold):
    order = scores.argsort(descending=True)
    keep = []
    while len(order):
        keep.append(order[0])
        order = order[1:][overlaps(boxes[order[:1]], boxes[order[1:]])[0] <= threshold]
    return torch.stack(keep)


def sigmoid_focal_loss(x, target, gamma=2., alpha=0.25):
    wanted = F.one_hot(target, x.shape[1]).to(x)
    probability = x.sigmoid()
    miss = (1 - probability) * wanted + probability * (1 - wanted)
    share = (alpha * wanted + (1 - alpha) * (1 - wanted)) * miss ** gamma
    return (F.binary_cross_entropy_with_logits(x, wanted, reduction='none') * share).mean()


def softmax_focal_loss(x, target, gamma=2., alpha=0.25):
    log = x.log_softmax(1).gather(1, target[:, None])[:, 0]
    share = torch.where(target == 0, alpha, 1 - alpha)
    return -(share * (1 - log.exp()) ** gamma * log).mean()


def attention(levels, value, locations, weights):
    """A grid_sample for each level."""
    n, _, heads, width = value.shape
    queries = locations.shape[1]
    samples = []
    for i, part in enumerate(value.split([h * w for h, w in levels], 1)):
        maps = part.permute(0, 2, 3, 1).reshape(n * heads, width, *levels[i])
        grid = (2 * locations[:, :, :, i] - 1).transpose(1, 2).flatten(0, 1)
        samples.append(F.grid_sample(maps, grid, align_corners=False))
    weights = weights.transpose(1, 2).reshape(n * heads, 1, queries, -1)
    out = (torch.stack(samples, 3).flatten(3) * weights).sum(3)
    return out.view(n, heads * width, queries).transpose(1, 2)


def make_encoding(channels, count):
    """Encoding of differences between all pixels and all codes."""
    codes, scale = torch.randn(count, channels) / channels, -torch.rand(count)

    def encode(x):
        rest = x.flatten(2).transpose(1, 2).unsqueeze(2) - codes
        share = (scale * rest.square().sum(3)).softmax(2)
        return (share.unsqueeze(3) * rest).sum(1)

    return encode


def point_sample(x, points):
    return F.grid_sample(x, 2 * points.unsqueeze(2) - 1, align_corners=False).squeeze(3)


def top_pool(x):
    return x.flip(2).cummax(2)[0].flip(2)
