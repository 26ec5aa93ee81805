"""Words for the slow plain forms of heads, and what the options of a head start from."""
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CLASSES = 3
WIDTHS = (4, 8, 16)  # channels of the maps that heads are given
HEAD = dict(in_channels=WIDTHS[-1], channels=8, num_classes=CLASSES, norm_cfg=dict(type='BN'),
            dropout_ratio=0)
TWO_MAPS = dict(in_channels=WIDTHS[:2], in_index=(0, 1), input_transform='resize_concat')
TANH = dict(act_cfg=dict(type='Tanh'))


def conv(layer, x, **options):
    return F.conv2d(x, layer.weight, layer.bias, **options)


def classify(head, x):
    return conv(head.conv_seg, x)


def block(module, x, kernel_size, options, dilation=1):
    """Convolution, batch norm by its running statistics, and activation."""
    return activated(normed_conv(module, x, options, padding=kernel_size // 2 * dilation,
                                 dilation=dilation), options)


def normed_conv(module, x, options, **arguments):
    """Convolution and batch norm by its running statistics."""
    return batch_norm(module, conv(module.conv, x, **arguments), options)


def normed(module, x, options):
    """Batch norm of a block by its running statistics, and activation."""
    return activated(batch_norm(module, x, options), options)


def batch_norm(module, x, options):
    if not options.get('norm_cfg', HEAD['norm_cfg']):
        return x
    mean, var, weight, bias = (value.view(-1, 1, 1) for value in (
        module.bn.running_mean, module.bn.running_var, module.bn.weight, module.bn.bias))
    return (x - mean) / (var + module.bn.eps).sqrt() * weight + bias


def activated(x, options):
    return x.tanh() if 'act_cfg' in options else x.clamp(min=0)


def adaptive_pool(x, size):
    """Means over cells from floor(i * n / size) to ceil((i + 1) * n / size)."""
    out = torch.zeros(*x.shape[:2], size, size, dtype=x.dtype)
    for i in range(size):
        for j in range(size):
            rows, cols = (slice(k * n // size, math.ceil((k + 1) * n / size))
                          for k, n in ((i, x.shape[2]), (j, x.shape[3])))
            out[:, :, i, j] = x[:, :, rows, cols].mean((2, 3))
    return out


@dataclass
class Row:
    """What the tests know of a head.

    `plain(head, input, **options)` gives its logits slowly; that of a head in a cascade gets the
    previous logits after its input. `options` are two sets or more, which replace those of HEAD.
    `all_maps`: the input is not what `in_index` chooses, but all maps of the backbone.
    `losses_of_logits`: the prefix of the names of their losses; None where losses are not those of
    the logits at the labels.
    `own_layers`: parts of the head that choose the types of their layers themselves, `own_norms`:
    norms and activations alone.
    `any_size`: it can be exported for maps of any size.
    `free_norms`: ends of the names of batch norms that follow no convolution with a weight.
    """

    plain: Callable[..., Tensor]
    options: Sequence[dict]
    all_maps: bool = False
    losses_of_logits: str | None = ''
    any_size: bool = True
    own_layers: Sequence[str] = ()
    own_norms: Sequence[str] = ()
    free_norms: tuple[str, ...] = ()
