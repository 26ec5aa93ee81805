"""Table of the decode heads: a slow plain form of each, and options to test it with."""
import math

import torch
import torch.nn.functional as F

from mmseg.models import build_head
from mmseg.models.decode_heads import BaseCascadeDecodeHead

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
    x = conv(module.conv, x, padding=kernel_size // 2 * dilation, dilation=dilation)
    if options.get('norm_cfg', HEAD['norm_cfg']):
        mean, var, weight, bias = (value.view(-1, 1, 1) for value in (
            module.bn.running_mean, module.bn.running_var, module.bn.weight, module.bn.bias))
        x = (x - mean) / (var + module.bn.eps).sqrt() * weight + bias
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


def plain_fcn(head, x, num_convs=2, kernel_size=3, dilation=1, concat_input=True, **options):
    out = x
    for i in range(num_convs):
        out = block(head.convs[i], out, kernel_size, options, dilation)
    if concat_input:
        out = block(head.conv_cat, torch.cat([x, out], 1), kernel_size, options)
    return classify(head, out)


def plain_psp(head, x, pool_scales=(1, 2, 3, 6), align_corners=False, **options):
    parts = [x]
    for scale, branch in zip(pool_scales, head.psp_modules, strict=True):
        part = block(branch[1], adaptive_pool(x, scale), 1, options)
        parts.append(F.interpolate(part, x.shape[2:], mode='bilinear',
                                   align_corners=align_corners))
    return classify(head, block(head.bottleneck, torch.cat(parts, 1), 3, options))


# Name: the plain form (head, input, **options) -> logits, then at least two sets of options,
# which replace those of HEAD. That of a head in a cascade gets the previous logits after its input.
HEAD_OPTIONS = {
    'FCNHead': (plain_fcn, {}, dict(num_convs=1, concat_input=False, **TWO_MAPS),
                dict(kernel_size=1, dilation=2, norm_cfg=None, **TANH),
                dict(num_convs=3, dilation=2, out_channels=1, num_classes=2,
                     loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)),
                dict(num_convs=0, channels=WIDTHS[-1])),
    'PSPHead': (plain_psp, {}, dict(align_corners=True, pool_scales=(5,), **TANH),
                dict(pool_scales=(1, 3), fuse_pyramid=False, **TWO_MAPS)),
}
CASES = [(name, number) for name, row in HEAD_OPTIONS.items() for number in range(len(row) - 1)]


def build(name, number, **changes):
    """The head with its set of options of that number, in training, with varied statistics."""
    assert name in HEAD_OPTIONS, f'{name} is registered: add a row for it to HEAD_OPTIONS'
    torch.manual_seed(number)
    head = build_head({**HEAD, 'type': name, **HEAD_OPTIONS[name][number + 1], **changes})
    for module in head.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(value, 0.5, 1.5)
    return head


def maps(number=2, dtype=torch.float64):
    """Maps of a backbone with odd sizes."""
    torch.manual_seed(1)
    return [torch.randn(number, width, *size, dtype=torch.float64).to(dtype)
            for width, size in zip(WIDTHS, ((15, 21), (9, 11), (7, 11)), strict=True)]


def previous(head, inputs):
    """What a head gets beside the maps: logits of the head before it, if it is one of a cascade."""
    return (inputs[-1][:, :head.out_channels],) * isinstance(head, BaseCascadeDecodeHead)


def labels(head, number=2):
    """Labels [N, 1, H, W] with ignored pixels."""
    label = torch.randint(head.num_classes, (number, 1, 29, 41))
    label[:, :, :3] = 255
    return label


def losses_and_gradients(head, inputs, label):
    """Losses of a training batch, and gradients of the parameters and of the inputs, by name."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    losses = head.forward_train(inputs, *previous(head, inputs), [{}] * len(label), label, None)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    gradients = {name: param.grad for name, param in head.named_parameters()}
    gradients.update((f'inputs.{i}', x.grad) for i, x in enumerate(inputs) if x.grad is not None)
    return {name: value.detach() for name, value in losses.items()}, gradients
