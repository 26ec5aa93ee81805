"""Words for the slow plain forms of backbones, and options that several share."""
import torch.nn.functional as F

SMALL = dict(stem_channels=8, base_channels=4)
DILATED = dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))


def plain_norm(state, x, key):
    return F.batch_norm(x, state[f'{key}.running_mean'], state[f'{key}.running_var'],
                        state[f'{key}.weight'], state[f'{key}.bias'])


def plain_block(state, x, key, **how):
    """ConvModule: a convolution, its batch norm and ReLU."""
    x = F.conv2d(x, state[f'{key}.conv.weight'], **how)
    return plain_norm(state, x, f'{key}.bn').relu()
