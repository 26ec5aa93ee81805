import torch
import torch.nn.functional as F

from ..backbone_plain import plain_norm


def act(state, x, key):
    if f'{key}.weight' not in state:
        return x.relu()
    return torch.where(x > 0, x, state[f'{key}.weight'].view(-1, 1, 1) * x)


def convolve(state, x, key, **how):
    x = plain_norm(state, F.conv2d(x, state[f'{key}.conv.weight'], **how), f'{key}.bn')
    return act(state, x, f'{key}.activate')


def shrink(x, times):
    for _ in range(times):
        x = F.conv2d(x, torch.full((x.shape[1], 1, 3, 3), 1 / 9, dtype=x.dtype), stride=2,
                     padding=1, groups=x.shape[1])
    return x


def block(state, x, key, dilation, shrinks):
    near = convolve(state, x, f'{key}.conv1x1', **(dict(stride=2, padding=1) if shrinks else {}))
    both = [F.conv2d(near, state[f'{key}.{name}.weight'], padding=spread, dilation=spread,
                     groups=near.shape[1]) for name, spread in (('f_loc', 1), ('f_sur', dilation))]
    out = act(state, plain_norm(state, torch.cat(both, 1), f'{key}.bn'), f'{key}.activate')
    if shrinks:
        out = F.conv2d(out, state[f'{key}.bottleneck.weight'])
    y = out.mean((2, 3))
    for i in (0, 2):
        y = F.linear(y, state[f'{key}.f_glo.fc.{i}.weight'], state[f'{key}.f_glo.fc.{i}.bias'])
        y = y.relu() if i == 0 else y.sigmoid()
    out = out * y[:, :, None, None]
    return out if shrinks else out + x


def norm_act(state, parts, i):
    x = plain_norm(state, torch.cat(parts, 1), f'norm_prelu_{i}.0')
    return act(state, x, f'norm_prelu_{i}.1')


def plain(state, options, x):
    image = x
    for i in range(3):
        x = convolve(state, x, f'stem.{i}', stride=2 if i == 0 else 1, padding=1)
    outs = [norm_act(state, [x, shrink(image, 1)], 0)]
    for level, blocks in enumerate(options.get('num_blocks', (3, 21)), 1):
        x = first = block(state, outs[-1], f'level{level}.0',
                          options.get('dilations', (2, 4))[level - 1], True)
        for i in range(1, blocks):
            x = block(state, x, f'level{level}.{i}', options.get('dilations', (2, 4))[level - 1],
                      False)
        outs.append(norm_act(state, [x, first, shrink(image, 2)] if level == 1 else [first, x],
                             level))
    return outs


CASES = {'CGNet': [
    (dict(num_channels=(8, 16, 32), num_blocks=(3, 4)), plain, '1c6772d2cf44'),
    (dict(in_channels=4, num_channels=(4, 8, 16), num_blocks=(1, 2), dilations=(3, 5),
          reductions=(4, 2), act_cfg=dict(type='ReLU'), with_cp=True), plain, 'ad05bd211b69')]}
