import torch.nn.functional as F

from ..backbone_plain import plain_norm

BLOCKS = (1, 2, 3, 4, 3, 3, 1)


def step(state, x, key, **how):
    """ConvModule without its activation."""
    return plain_norm(state, F.conv2d(x, state[f'{key}.conv.weight'], **how), f'{key}.bn')


def inverted_residual(state, x, key, stride, dilation=1, act=F.relu6):
    """Block of MobileNetV2; its width says whether there is an expansion."""
    out, i = x, 0
    if f'{key}.conv.2.conv.weight' in state:
        out, i = act(step(state, out, f'{key}.conv.0')), 1
    out = act(step(state, out, f'{key}.conv.{i}', stride=stride, padding=dilation,
                   dilation=dilation, groups=out.shape[1]))
    out = step(state, out, f'{key}.conv.{i + 1}')
    return out + x if stride == 1 and out.shape[1] == x.shape[1] else out


def plain(state, options, x):
    act = F.leaky_relu if 'act_cfg' in options else F.relu6
    x = act(step(state, x, 'conv1', stride=2, padding=1))
    outs = []
    strides = options.get('strides', (1, 2, 2, 2, 1, 2, 1))
    dilations = options.get('dilations', (1,) * 7)
    for i, blocks in enumerate(BLOCKS):
        for j in range(blocks):
            first = (strides[i], dilations[i]) if j == 0 else (1, 1)
            x = inverted_residual(state, x, f'layer{i + 1}.{j}', *first, act=act)
        if i in options.get('out_indices', (1, 2, 4, 6)):
            outs.append(x)
    return outs


CASES = {'MobileNetV2': [
    (dict(widen_factor=0.25), plain, '0862ca2c1b63'),
    (dict(widen_factor=0.5, strides=(1, 2, 2, 1, 1, 1, 1), dilations=(1, 1, 1, 2, 2, 4, 4),
          out_indices=(6, 0), in_channels=4, with_cp=True, act_cfg=dict(type='LeakyReLU')),
     plain, '5504ea195374')]}
