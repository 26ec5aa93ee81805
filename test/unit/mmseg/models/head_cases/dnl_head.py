import torch

from ..head_plain import TANH, Row, block, classify
from .nl_head import plain_non_local


def plain_dnl(head, x, mode='embedded_gaussian', use_scale=True, temperature=0.05, **options):
    out = block(head.convs[0], x, 3, options)
    out = plain_non_local(head.dnl_block, out, options, mode, use_scale, True, temperature)
    out = block(head.convs[1], out, 3, options)
    return classify(head, block(head.conv_cat, torch.cat([x, out], 1), 3, options))


ROWS = {
    'DNLHead': Row(plain_dnl, [
        {},
        dict(temperature=0.5, use_scale=False, reduction=4),
        dict(mode='gaussian'),
        dict(mode='dot_product', norm_cfg=None, **TANH),
        dict(mode='concatenation')],
        own_layers=['dnl_block']),
}
