"""Deformable convolutions, each output a sum over the points of its kernel."""
import itertools

from torch.nn.modules.utils import _pair

from mmcv_replace.ops import deform_conv2d

from ..op_cases import Case, uniform


def sample(image, y, x):
    """Value of maps [C, H, W] at a position; the maps are zero beyond their border."""
    total = image.new_zeros(len(image))
    rows, columns = (range(int(at.detach().floor()), int(at.detach().floor()) + 2) for at in (y, x))
    for i, j in itertools.product(rows, columns):
        if 0 <= i < image.shape[1] and 0 <= j < image.shape[2]:
            total = total + (1 - (y - i).abs()) * (1 - (x - j).abs()) * image[:, i, j]
    return total


def plain_conv(x, offset, mask, weight, stride, padding, dilation, groups, deform_groups):
    wide, points = weight.shape[3], weight.shape[2] * weight.shape[3]
    out = x.new_zeros(len(x), len(weight), *offset.shape[2:])
    outputs, inputs = len(weight) // groups, x.shape[1] // groups
    size = x.shape[1] // deform_groups
    for n, i, j in itertools.product(*map(range, (len(x), *offset.shape[2:]))):
        for k, part in itertools.product(range(points), range(deform_groups)):
            at = part * points + k
            y, z = (place * s - p + tap * d + offset[n, 2 * at + axis, i, j]
                    for axis, (place, tap, s, p, d) in enumerate(zip(
                        (i, j), divmod(k, wide), stride, padding, dilation, strict=True)))
            value = sample(x[n, part * size:(part + 1) * size], y, z)
            value = value if mask is None else value * mask[n, at, i, j]
            for c, o in itertools.product(range(size), range(len(weight))):
                group, channel = divmod(part * size + c, inputs)
                if o // outputs == group:
                    term = weight[o, channel, k // wide, k % wide] * value[c]
                    out[n, o, i, j] = out[n, o, i, j] + term
    return out


# Name -> maps and weight, and the other options in the order of the function.
OPTIONS = {
    'plain': ((1, 2, 4, 5), (2, 2, 2, 2), (1, 0, 1, 1, 1)),
    'stride, padding, dilation': ((1, 1, 6, 7), (1, 1, 2, 3), ((3, 2), (1, 2), (2, 1), 1, 1)),
    'groups': ((2, 6, 3, 3), (4, 3, 1, 2), (1, 1, 1, 2, 3)),
    'each channel': ((1, 3, 3, 4), (3, 1, 2, 2), (1, 1, 1, 3, 1)),
}


def inputs(name, masked=False):
    shape, kernel, options = OPTIONS[name]
    x, weight = uniform(*shape), uniform(*kernel, seed=1)
    stride, padding, dilation = map(_pair, options[:3])
    size = [(pixels + 2 * pad - step * (taps - 1) - 1) // jump + 1 for pixels, pad, step, taps, jump
            in zip(shape[2:], padding, dilation, kernel[2:], stride, strict=True)]
    count = options[4] * kernel[2] * kernel[3]
    # No sample is exactly at a pixel, where the derivatives are one-sided.
    offset = (uniform(shape[0], 2 * count, *size, seed=2) * 128 + .5) / 64
    return [x, offset, *[uniform(shape[0], count, *size, seed=3)] * masked, weight]


def case(name):
    options = OPTIONS[name][2]
    pairs = [*map(_pair, options[:3]), *options[3:]]
    return Case(f'deform_conv, {name}',
                lambda x, offset, weight: deform_conv2d(x, offset, weight, *options),
                lambda: inputs(name),
                lambda x, offset, weight: plain_conv(x, offset, None, weight, *pairs))


CASES = [case(name) for name in ('stride, padding, dilation', 'groups')]
