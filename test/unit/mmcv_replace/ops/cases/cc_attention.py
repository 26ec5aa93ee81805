import torch

from mmcv_replace.ops import CrissCrossAttention

from ..op_cases import Case, uniform, with_state

CHANNELS = 16
LAYER = CrissCrossAttention(CHANNELS)
NAMES = [*dict(LAYER.named_parameters())]


def run(x, *weights):
    return with_state(LAYER, dict(zip(NAMES, weights, strict=True)), x)


def plain(x, *weights):
    """Pixel after pixel."""
    named = dict(zip(NAMES, weights, strict=True))
    query, key, value = (
        torch.einsum('oc,nchw->nohw', named[f'{name}_conv.weight'][:, :, 0, 0], x)
        + named[f'{name}_conv.bias'][:, None, None] for name in ('query', 'key', 'value'))
    count, _, height, width = x.shape
    images = []
    for n in range(count):
        for h in range(height):
            for w in range(width):
                seen = [(i, w) for i in range(height)] + [(h, j) for j in range(width) if j != w]
                scores = [(query[n, :, h, w] * key[n, :, i, j]).sum() for i, j in seen]
                shares = torch.stack(scores).exp()
                shares = shares / shares.sum()
                images.append(sum(share * value[n, :, i, j] for share, (i, j) in zip(
                    shares, seen, strict=True)))
    out = torch.stack(images).view(count, height, width, -1).permute(0, 3, 1, 2)
    return named['gamma.scale'] * out + x


def inputs(*size):
    weights = LAYER.named_parameters()
    return [uniform(*size), *(uniform(*p.shape, seed=i) + ('gamma' in name)
                              for i, (name, p) in enumerate(weights, start=1))]


# The bias of the keys adds the same to all scores of a pixel: its gradient is 0, but for rounding.
NO_GRADIENT = [1 + NAMES.index('key_conv.bias')]
CASES = [Case(f'criss_cross {size}', run, lambda size=size: inputs(*size), plain, NO_GRADIENT)
         for size in [(2, 16, 4, 3), (1, 16, 1, 5), (2, 16, 3, 1)]]
