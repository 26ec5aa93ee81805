import math

import torch
import torch.nn.functional as F

from ..head_plain import TANH, WIDTHS, Row


def sample(x, row, column, align_corners):
    """Feature [N, C] at a point from 0 to 1, bilinear, with zeros around the map."""
    y, x_ = (place * (n - 1) if align_corners else place * n - 0.5
             for place, n in ((row, x.shape[2]), (column, x.shape[3])))
    out = torch.zeros(x.shape[:2], dtype=x.dtype)
    for i in (math.floor(y), math.floor(y) + 1):
        for j in (math.floor(x_), math.floor(x_) + 1):
            if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
                out += (1 - abs(y - i)) * (1 - abs(x_ - j)) * x[:, :, i, j]
    return out


def layer(block, x, options):
    x = F.linear(x, block.conv.weight.squeeze(2), block.conv.bias)
    if options.get('norm_cfg'):
        norm = block.bn
        x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
    return x.tanh() if 'act_cfg' in options else x.clamp(min=0)


def plain_point(head, maps, previous, align_corners=False, coarse_pred_each_layer=True, **options):
    """These maps are so small that each pixel is among the uncertain ones of the last step."""
    height, width = (4 * n for n in previous.shape[2:])
    # Places of points are numbers of 32 bits.
    rows, columns = (1.0 / n / 2.0 + torch.arange(n).float() * (1.0 / n) for n in (height, width))
    out = torch.zeros(*previous.shape[:2], height, width, dtype=previous.dtype)
    for i, row in enumerate(rows.tolist()):
        for j, column in enumerate(columns.tolist()):
            coarse = sample(previous, row, column, align_corners)
            x = torch.cat([*(sample(each, row, column, align_corners) for each in maps), coarse], 1)
            for fc in head.fcs:
                x = layer(fc, x, options)
                x = torch.cat([x, coarse], 1) if coarse_pred_each_layer else x
            out[:, :, i, j] = F.linear(x, head.fc_seg.weight.squeeze(2), head.fc_seg.bias)
    return out


ONE_MAP = dict(in_channels=WIDTHS[-1:], in_index=(2,), norm_cfg=None)
ROWS = {
    'PointHead': Row(plain_point, [
        ONE_MAP,
        dict(num_fcs=1, coarse_pred_each_layer=False, align_corners=True, **ONE_MAP | TANH),
        dict(num_fcs=2, in_channels=WIDTHS[1:], in_index=(1, 2), norm_cfg=dict(type='BN1d'),
             out_channels=1, num_classes=2,
             loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))],
        losses_of_logits=None, any_size=False),
}
