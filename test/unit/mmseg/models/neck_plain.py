"""The slow plain form of the necks, from their weights by name."""
import torch
import torch.nn.functional as F


def block(state, key, x, kernel, options, stride=1, norm=True):
    """A convolution by rows of products, its norm by running statistics, and activation."""
    weight, bias = state[f'{key}.conv.weight'], state.get(f'{key}.conv.bias')
    n, _, height, width = x.shape
    columns = F.unfold(x, kernel, padding=kernel // 2, stride=stride)
    x = torch.einsum('of,nfp->nop', weight.flatten(1), columns)
    x = x.view(n, -1, -(-height // stride), -(-width // stride))
    if bias is not None:
        x = x + bias.view(-1, 1, 1)
    if norm and options.get('norm_cfg'):
        mean, var, scale, shift = (state[f'{key}.bn.{each}'].view(-1, 1, 1) for each in (
            'running_mean', 'running_var', 'weight', 'bias'))
        x = (x - mean) / (var + 1e-5).sqrt() * scale + shift
    return x.tanh() if options.get('act_cfg') else x


def nearest(x, size):
    rows, columns = (torch.arange(large) * small // large
                     for large, small in zip(size, x.shape[2:], strict=True))
    return x[:, :, rows][:, :, :, columns]


def plain_fpn(state, options, inputs):
    start, end = options.get('start_level', 0), options.get('end_level', -1)
    used = inputs[start:None if end == -1 else end]
    mode = options.get('upsample_cfg', {}).get('mode', 'nearest')
    total, outs = None, []
    for i in reversed(range(len(used))):
        lateral = block(state, f'lateral_convs.{i}', used[i], 1, options,
                        norm=not options.get('no_norm_on_lateral'))
        if total is None:
            first = dict(on_input=used[-1], on_lateral=lateral)
            total = lateral
        else:
            size = lateral.shape[2:]
            total = lateral + (nearest(total, size) if mode == 'nearest' else
                               F.interpolate(total, size, mode=mode))
        outs.insert(0, block(state, f'fpn_convs.{i}', total, 3, options))
    add = options.get('add_extra_convs')
    if add is True:
        add = 'on_input' if options.get('extra_convs_on_inputs') else 'on_output'
    for i in range(len(used), options['num_outs']):
        if not add:
            outs.append(F.max_pool2d(outs[-1], 1, stride=2))
            continue
        x = first.get(add, outs[-1]) if i == len(used) else outs[-1]
        if options.get('relu_before_extra_convs') and i > len(used):
            x = x.clamp(min=0)
        outs.append(block(state, f'fpn_convs.{i}', x, 3, options, stride=2))
    return outs
