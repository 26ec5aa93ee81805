import functools

import torch.nn.functional as F
from torch import nn

from ..backbone_plain import DILATED, SMALL, plain_norm


class HalvingPlugin(nn.Module):
    """A plugin without weights that can be seen in the maps."""

    def __init__(self, in_channels):
        super().__init__()

    def forward(self, x):
        return x / 2


def plain_resnet(state, options, x, middle=None):
    """Residual network (arXiv:1512.03385) with stems and shortcuts of arXiv:1812.01187.

    `middle(x, key, stride, dilation)`: what stands for the 3 x 3 convolution of a bottleneck, its
    norm and ReLU.
    """
    norm = functools.partial(plain_norm, state)

    def conv(x, key, **how):
        return F.conv2d(x, state[f'{key}.weight'], **how)

    def block(x, key, stride, dilation):
        size = state[f'{key}.conv1.weight'].shape[-1]
        wide = dict(padding=dilation, dilation=dilation)
        if size == 3:
            out = norm(conv(x, f'{key}.conv1', stride=stride, **wide), f'{key}.bn1').relu()
            out = norm(conv(out, f'{key}.conv2', padding=1), f'{key}.bn2')
        else:
            first, second = (stride, 1) if options.get('style') == 'caffe' else (1, stride)
            out = norm(conv(x, f'{key}.conv1', stride=first), f'{key}.bn1').relu()
            if middle:
                out = middle(out, key, second, dilation)
            else:
                out = norm(conv(out, f'{key}.conv2', stride=second, **wide), f'{key}.bn2').relu()
            if options.get('plugins'):
                out = out / 2
            out = norm(conv(out, f'{key}.conv3'), f'{key}.bn3')
        if options['avg_down'] and f'{key}.downsample.1.weight' in state:
            x = F.avg_pool2d(x, stride, stride, ceil_mode=True, count_include_pad=False)
            x = norm(conv(x, f'{key}.downsample.1'), f'{key}.downsample.2')
        elif f'{key}.downsample.0.weight' in state:
            x = norm(conv(x, f'{key}.downsample.0', stride=stride), f'{key}.downsample.1')
        return (out + x).relu()

    if options['deep_stem']:
        for i, stride in ((0, 2), (3, 1), (6, 1)):
            x = norm(conv(x, f'stem.{i}', stride=stride, padding=1), f'stem.{i + 1}').relu()
    else:
        x = norm(conv(x, 'conv1', stride=2, padding=3), 'bn1').relu()
    x = F.max_pool2d(x, 3, 2, 1)
    outs = []
    for i, (stride, dilation) in enumerate(zip(options.get('strides', (1, 2, 2, 2)),
                                               options.get('dilations', (1,) * 4), strict=True)):
        layer, j = f'layer{i + 1}', 0
        while f'{layer}.{j}.conv1.weight' in state:
            own = dilation
            if options.get('multi_grid') and i == 3:
                own = options['multi_grid'][j]
            elif options.get('contract_dilation') and j == 0 and dilation > 1:
                own = dilation // 2
            x = block(x, f'{layer}.{j}', stride if j == 0 else 1, own)
            j += 1
        if i in options.get('out_indices', range(4)):
            outs.append(x)
    return outs


def resnet(deep_stem, avg_down):
    return lambda state, options, x: plain_resnet(
        state, dict(deep_stem=deep_stem, avg_down=avg_down) | options, x)


CASES = {
    'ResNet': [
        (dict(depth=18, **SMALL), resnet(False, False), '942d94562e5d'),
        (dict(depth=50, **SMALL, **DILATED, style='caffe', multi_grid=(1, 2, 4),
              plugins=[dict(cfg=dict(type=HalvingPlugin), position='after_conv2')]),
         resnet(False, False), '01a7e97d39c2'),
        (dict(depth=18, **SMALL, deep_stem=True, avg_down=True, with_cp=True, in_channels=4,
              strides=(2, 1, 3, 1)), resnet(True, True), 'a494d0c2872d'),
    ],
    'ResNetV1c': [
        (dict(depth=18, **SMALL, **DILATED, contract_dilation=True, out_indices=(3, 1)),
         resnet(True, False), '95e557fc97d0'),
        (dict(depth=50, **SMALL), resnet(True, False), '95c1a1bddd01'),
    ],
    'ResNetV1d': [
        (dict(depth=18, **SMALL), resnet(True, True), 'd78536f174a0'),
        (dict(depth=50, **SMALL, **DILATED, contract_dilation=True),
         resnet(True, True), 'ad0912cf068d'),
    ],
}
