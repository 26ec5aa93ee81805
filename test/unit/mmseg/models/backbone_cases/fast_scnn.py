import torch
import torch.nn.functional as F

from ..head_plain import adaptive_pool
from .mobilenet_v2 import inverted_residual, step


def separable(state, x, key, act):
    x = act(step(state, x, f'{key}.depthwise_conv', stride=2, padding=1, groups=x.shape[1]))
    return step(state, x, f'{key}.pointwise_conv').relu()


def enlarge(x, like, options):
    return F.interpolate(x, like.shape[2:], mode='bilinear',
                         align_corners=options.get('align_corners', False))


def plain(state, options, x):
    revised = options.get('revised', False)
    act = (lambda x: x) if revised else F.relu
    part = 'learning_to_downsample'
    x = step(state, x, f'{part}.conv', stride=2, padding=int(revised)).relu()
    high = x = separable(state, separable(state, x, f'{part}.dsconv1', act), f'{part}.dsconv2', act)
    part = 'global_feature_extractor'
    for i, stride in enumerate(options.get('global_block_strides', (2, 2, 1)), 1):
        for j in range(3):
            x = inverted_residual(state, x, f'{part}.bottleneck{i}.{j}', stride if j == 0 else 1,
                                  act=F.relu if revised else F.relu6)
    pyramid = [enlarge(step(state, adaptive_pool(x, scale), f'{part}.ppm.{i}.1').relu(), x, options)
               for i, scale in enumerate((1, 2, 3, 6))]
    low = step(state, torch.cat([x, *pyramid], 1), f'{part}.out', padding=int(revised)).relu()
    part = 'feature_fusion'
    x = step(state, enlarge(low, high, options), f'{part}.dwconv', **(
        dict(padding=1, groups=low.shape[1]) if revised else {})).relu()
    x = step(state, x, f'{part}.conv_lower_res')
    x = (x + step(state, high, f'{part}.conv_higher_res')).relu()
    return [(high, low, x)[i] for i in options.get('out_indices', (0, 1, 2))]


SMALL = dict(downsample_dw_channels=(8, 12), global_in_channels=8, higher_in_channels=8,
             global_block_channels=(8, 12, 16), global_out_channels=16, lower_in_channels=16,
             fusion_out_channels=16)
CASES = {'FastSCNN': [
    (SMALL, plain, '2b398ce23e1c'),
    (dict(SMALL, align_corners=True, out_indices=(2, 0), in_channels=4,
          global_block_strides=(1, 2, 1)), plain, '9be85bccdc88'),
    (dict(SMALL, revised=True), plain, '0dac6e814d5d')]}
