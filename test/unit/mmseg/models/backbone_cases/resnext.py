import torch
import torch.nn.functional as F

from ..backbone_plain import DILATED, SMALL, plain_norm
from .resnet import plain_resnet


def plain(state, options, x):
    """ResNeXt (arXiv:1611.05431): a convolution for each group of channels."""
    def middle(x, key, stride, dilation):
        groups = options.get('groups', 1)
        parts = [F.conv2d(part, weight, stride=stride, padding=dilation, dilation=dilation)
                 for part, weight in zip(x.chunk(groups, 1), state[f'{key}.conv2.weight'].chunk(
                     groups), strict=True)]
        return plain_norm(state, torch.cat(parts, 1), f'{key}.bn2').relu()

    return plain_resnet(state, dict(deep_stem=False, avg_down=False) | options, x, middle)


CASES = {'ResNeXt': [
    (dict(depth=50, **SMALL, groups=4, base_width=2), plain, '87315988ccaa'),
    (dict(depth=50, **SMALL, **DILATED, groups=2, base_width=6, deep_stem=True,
          contract_dilation=True), plain, '22865f222f2c'),
    (dict(depth=50, **SMALL, base_width=9, in_channels=4), plain, '0f2c69dd7b6a'),
]}
