import torch
import torch.nn.functional as F

from ..backbone_plain import DILATED, SMALL, plain_norm
from .resnet import plain_resnet


def plain(state, options, x):
    """ResNeSt (arXiv:2004.08955): loops over the groups and their splits."""
    groups, radix = options.get('groups', 1), options.get('radix', 2)

    def conv(x, key, **how):
        """A convolution of each of `count` groups of channels on its own."""
        count = how.pop('count')
        weights = state[f'{key}.weight'].chunk(count)
        biases = (state[f'{key}.bias'].chunk(count) if f'{key}.bias' in state
                  else [None] * count)
        return torch.cat([F.conv2d(*each, **how) for each in zip(
            x.chunk(count, 1), weights, biases, strict=True)], 1)

    def middle(x, key, stride, dilation):
        pooled = stride > 1 and options.get('avg_down_stride', True)
        x = conv(x, f'{key}.conv2.conv', count=groups * radix, stride=1 if pooled else stride,
                 padding=dilation, dilation=dilation)
        splits = plain_norm(state, x, f'{key}.conv2.bn0').relu().chunk(radix, 1)
        means = sum(splits).mean((2, 3), keepdim=True)
        hidden = conv(means, f'{key}.conv2.fc1', count=groups)
        hidden = plain_norm(state, hidden, f'{key}.conv2.bn1').relu()
        scores = conv(hidden, f'{key}.conv2.fc2', count=groups).chunk(groups * radix, 1)
        out = 0
        for r, split in enumerate(splits):
            of_groups = []
            for g in range(groups):
                own = [scores[g * radix + each].exp() for each in range(radix)]
                of_groups.append(own[r] / sum(own) if radix > 1 else own[0] / (1 + own[0]))
            out = out + split * torch.cat(of_groups, 1)
        return F.avg_pool2d(out, 3, stride, 1) if pooled else out

    return plain_resnet(state, dict(deep_stem=True, avg_down=True) | options, x, middle)


CASES = {'ResNeSt': [
    (dict(depth=50, **SMALL), plain, 'eaf1855e6b03'),
    (dict(depth=50, **SMALL, **DILATED, groups=2, base_width=6, radix=3, reduction_factor=2,
          contract_dilation=True), plain, '748c558bb201'),
    (dict(depth=50, **SMALL, groups=2, radix=1, avg_down_stride=False, in_channels=4), plain,
     '20c06df796d0'),
]}
