import torch.nn.functional as F

from .mobilenet_v2 import step

# Of each block: kernel size, whether its channels are weighted, hard swish, stride, dilation.
SMALL = ['3wr21', '3-r21', '3-r11', '5wh12', '5wh12', '5wh12', '5wh12', '5wh12', '5wh14', '5wh14',
         '5wh14']
LARGE = ['3-r11', '3-r21', '3-r11', '5wr21', '5wr11', '5wr11', '3-h12', '3-h12', '3-h12', '3-h12',
         '3wh12', '3wh12', '5wh14', '5wh14', '5wh14']
# Those that halved the map before they were dilated.
HALVED = {'small': (4, 9), 'large': (7, 13)}


def hard_swish(x):
    return x * (x + 3).clamp(0, 6) / 6


def same(x, kernel, stride, dilation=1):
    """Padding of TensorFlow: an output for each stride begun, the odd pixel behind."""
    pads = []
    for side in x.shape[:1:-1]:
        total = max(((side + stride - 1) // stride - 1) * stride + dilation * (kernel - 1) + 1
                    - side, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def weigh(state, x, key):
    y = x.mean((2, 3), keepdim=True)
    for name in ('conv1', 'conv2'):
        y = F.conv2d(y, state[f'{key}.{name}.conv.weight'], state[f'{key}.{name}.conv.bias'])
        y = y.relu() if name == 'conv1' else ((y + 3) / 6).clamp(0, 1)
    return x * y


def plain(state, options, x):
    arch = options.get('arch', 'small')
    rows = SMALL if arch == 'small' else LARGE
    x = hard_swish(step(state, same(x, 3, 2), 'layer0', stride=2))
    outs = [x]
    for i, row in enumerate(rows, 1):
        kernel, weighted, act, stride, dilation = row
        kernel, stride, dilation = int(kernel), int(stride), int(dilation)
        act, key, out = F.relu if act == 'r' else hard_swish, f'layer{i}', x
        if f'{key}.expand_conv.conv.weight' in state:
            out = act(step(state, out, f'{key}.expand_conv'))
        out = act(step(state, same(out, kernel, stride, dilation), f'{key}.depthwise_conv',
                       stride=stride, dilation=dilation, groups=out.shape[1]))
        if weighted == 'w':
            out = weigh(state, out, f'{key}.se')
        out = step(state, out, f'{key}.linear_conv')
        joined = stride == 1 and i not in HALVED[arch] and out.shape[1] == x.shape[1]
        x = out + x if joined else out
        outs.append(x)
    outs.append(hard_swish(step(state, x, f'layer{len(rows) + 1}')))
    return [outs[i] for i in sorted(options.get('out_indices', (0, 1, 12)))]


CASES = {'MobileNetV3': [
    ({}, plain, '53785669af6f'),
    (dict(arch='large', out_indices=(1, 3, 16), with_cp=True, in_channels=4),
     plain, '41bee43d6d13'),
    # With half of the channels, the block that halved the map has as many as before.
    (dict(reduction_factor=2, out_indices=(0, 9, 12)), plain, '67d0cec2f6fb')]}
