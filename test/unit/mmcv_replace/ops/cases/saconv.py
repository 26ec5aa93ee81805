import torch

from mmcv_replace.ops import SAConv2d

from ..op_cases import Case, uniform, with_state
from .masked_conv import plain_conv


def inputs(layer, height=7, width=6):
    """x, and values for all that the layer's state has."""
    def draw():
        state = [uniform(*value.shape, seed=i + 1) / 2
                 for i, value in enumerate(layer.state_dict().values())]
        return uniform(2, layer.in_channels, height, width), *state

    return draw


def run(layer):
    names = [*layer.state_dict()]
    return lambda x, *state: with_state(layer, dict(zip(names, state, strict=True)), x)


def means(x):
    """Means over 5 x 5 pixels, mirrored at the border."""
    height, width = x.shape[2:]

    def mirrored(i, size):
        return -i if i < 0 else 2 * (size - 1) - i if i >= size else i

    return torch.stack([
        sum(x[..., mirrored(i + k, height), mirrored(j + m, width)]
            for k in range(-2, 3) for m in range(-2, 3)) / 25
        for i in range(height) for j in range(width)], -1).view(x.shape)


def standardised(state):
    filters = []
    for values, gamma, beta in zip(state['weight'], state['weight_gamma'], state['weight_beta'],
                                   strict=True):
        mean = values.sum() / values.numel()
        variance = ((values - mean) ** 2).sum() / (values.numel() - 1)
        filters.append((values - mean) / (variance + 1e-5).sqrt() * gamma + beta)
    return torch.stack(filters)


def sample(image, y, x):
    """A bilinear sample of [C, H, W], zero beyond the border."""
    total = torch.zeros_like(image[:, 0, 0])
    top, left = int(y.detach().floor()), int(x.detach().floor())
    for i in (top, top + 1):
        for j in (left, left + 1):
            if 0 <= i < image.shape[1] and 0 <= j < image.shape[2]:
                total = total + image[:, i, j] * (1 - (y - i).abs()) * (1 - (x - j).abs())
    return total


def plain_deform(x, offset, weight, stride, padding, dilation, groups):
    assert groups == 1
    out = []
    for image, field in zip(x, offset, strict=True):
        for i in range(field.shape[1]):
            for j in range(field.shape[2]):
                total = 0
                for tap in range(9):
                    y, x_ = (start * stride - padding + step * dilation + field[2 * tap + k, i, j]
                             for k, (start, step) in enumerate(((i, tap // 3), (j, tap % 3))))
                    total = total + weight[:, :, tap // 3, tap % 3] @ sample(image, y, x_)
                out.append(total)
    return torch.stack(out).view(len(x), *offset.shape[2:], -1).permute(0, 3, 1, 2)


def plain(layer, stride=1, padding=1, dilation=1, groups=1):
    def convolve(x, *values):
        state = dict(zip(layer.state_dict(), values, strict=True))

        def affine(name, x, **options):
            return plain_conv(x, state[f'{name}.weight'], **options) + state[
                f'{name}.bias'].view(-1, 1, 1)

        x = x + affine('pre_context', x.mean((2, 3), keepdim=True))
        weight, seen, parts = standardised(state), means(x), []
        for name, wider, shift in (('offset_s', 1, 0), ('offset_l', 3, state['weight_diff'])):
            options = (stride, wider * padding, wider * dilation, groups)
            if layer.use_deform:
                offset = affine(name, seen, stride=stride, padding=1)
                parts.append(plain_deform(x, offset, weight + shift, *options))
            else:
                parts.append(plain_conv(x, weight + shift, *options))
        switch = affine('switch', seen, stride=stride)
        out = switch * parts[0] + (1 - switch) * parts[1]
        return out + affine('post_context', out.mean((2, 3), keepdim=True))

    return convolve


def case(name, **options):
    layer = SAConv2d(4, 2, 3, bias=False, **options).double()
    state = list(layer.state_dict())
    constant = [1 + state.index(key) for key in ('weight_gamma', 'weight_beta')]
    options.pop('use_deform', None)
    return Case(name, run(layer), inputs(layer), plain(layer, **options), constant=constant)


CASES = [
    case('saconv', padding=1),
    case('saconv_options', padding=2, dilation=2, groups=2, stride=2),
    case('saconv_deform', padding=1, stride=2, use_deform=True),
]
