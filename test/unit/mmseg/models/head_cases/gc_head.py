import torch

from ..head_plain import TANH, Row, block, classify, conv


def plain_context(layer, x, pooling_type, fusion_types):
    """One vector for the whole map, added to each pixel or multiplied with it."""
    weights = (conv(layer.conv_mask, x).exp() if pooling_type == 'att'
               else torch.ones_like(x[:, :1]))
    context = (x * weights).sum((2, 3), keepdim=True) / weights.sum((2, 3), keepdim=True)
    out = x
    for name in ('channel_mul', 'channel_add'):
        if name in fusion_types:
            first, norm, _, last = getattr(layer, f'{name}_conv')
            hidden = conv(first, context)
            centred = hidden - hidden.mean(1, keepdim=True)
            hidden = centred / (centred.square().mean(1, keepdim=True) + norm.eps).sqrt()
            vector = conv(last, (hidden * norm.weight + norm.bias).clamp(min=0))
            out = out * vector.sigmoid() if name == 'channel_mul' else out + vector
    return out


def plain_gc(head, x, pooling_type='att', fusion_types=('channel_add',), **options):
    options.pop('ratio', None)
    out = plain_context(head.gc_block, block(head.convs[0], x, 3, options), pooling_type,
                        fusion_types)
    out = block(head.convs[1], out, 3, options)
    return classify(head, block(head.conv_cat, torch.cat([x, out], 1), 3, options))


ROWS = {
    'GCHead': Row(plain_gc, [
        {},
        dict(ratio=1 / 2, pooling_type='avg', fusion_types=('channel_mul',), **TANH),
        dict(fusion_types=['channel_mul', 'channel_add'], norm_cfg=None)]),
}
