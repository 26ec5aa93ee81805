import functools

import torch.nn.functional as F

from ..backbone_plain import plain_norm


def plain_hrnet(state, options, x):
    """High-resolution network (arXiv:1904.04514), layer after layer by the names of the weights."""
    norm = functools.partial(plain_norm, state)

    def conv(x, key, stride=1):
        weight = state[f'{key}.weight']
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def residual(x, key):
        number = 3 if f'{key}.conv3.weight' in state else 2
        out = x
        for i in range(1, number + 1):
            out = norm(conv(out, f'{key}.conv{i}'), f'{key}.bn{i}')
            out = out.relu() if i < number else out
        if f'{key}.downsample.0.weight' in state:
            x = norm(conv(x, f'{key}.downsample.0'), f'{key}.downsample.1')
        return (out + x).relu()

    def residuals(x, key):
        i = 0
        while f'{key}.{i}.conv1.weight' in state:
            x = residual(x, f'{key}.{i}')
            i += 1
        return x

    def shrink(x, key, last_relu):
        steps = sum(name.startswith(key) and name.endswith('0.weight') for name in state)
        for i in range(steps):
            x = norm(conv(x, f'{key}.{i}.0', 2), f'{key}.{i}.1')
            x = x.relu() if last_relu or i < steps - 1 else x
        return x

    def exchange(maps, i, key):
        total = maps[i]
        for j, other in enumerate(maps):
            own = f'{key}.fuse_layers.{i}.{j}'
            if j < i:
                total = total + shrink(other, own, last_relu=False)
            elif j > i:
                other = norm(conv(other, f'{own}.0'), f'{own}.1')
                for size in ([side * 2**(j - i) for side in other.shape[2:]], total.shape[2:]):
                    other = F.interpolate(other, size, mode='bilinear')
                total = total + other
        return total.relu()

    for i in (1, 2):
        x = norm(conv(x, f'conv{i}', 2), f'bn{i}').relu()
    maps = [residuals(x, 'layer1')]
    for stage in (2, 3, 4):
        key = f'transition{stage - 1}'
        new = shrink(maps[-1], f'{key}.{stage - 1}', last_relu=True)
        maps = [norm(conv(x, f'{key}.{i}.0'), f'{key}.{i}.1').relu()
                if f'{key}.{i}.0.weight' in state else x for i, x in enumerate(maps)] + [new]
        for module in range(options['extra'][f'stage{stage}']['num_modules']):
            own = f'stage{stage}.{module}'
            maps = [residuals(x, f'{own}.branches.{i}') for i, x in enumerate(maps)]
            maps = [exchange(maps, i, own) for i in range(stage)
                    if i == 0 or f'{own}.fuse_layers.{i}.0.0.0.weight' in state]
    return maps


def stages(widths, *numbers, first='BOTTLENECK', last='BASIC'):
    """`extra` of a small HRNet: for each stage the number of its modules, and of their blocks."""
    return {f'stage{i}': dict(
        num_modules=modules, num_branches=i, num_blocks=(blocks,) * i,
        block=first if i == 1 else last if i == 4 else 'BASIC',
        num_channels=(2,) if i == 1 else widths[:i]) for i, (modules, blocks) in
        enumerate(numbers, 1)}


CASES = {
    'HRNet': [
        (dict(extra=stages((4, 6, 8, 10), (1, 1), (1, 1), (2, 1), (1, 2))), plain_hrnet,
         'ac34596d4c42'),
        (dict(extra=stages((8, 4, 6, 2), (1, 2), (1, 1), (1, 1), (2, 1), last='BOTTLENECK'),
              in_channels=4, with_cp=True, zero_init_residual=True), plain_hrnet, 'ae93c3c1e0ca'),
        (dict(extra=stages((3, 5, 4, 6), (1, 1), (2, 1), (1, 1), (2, 1), first='BASIC'),
              multiscale_output=False), plain_hrnet, '23b3d96b9ca7'),
    ],
}
