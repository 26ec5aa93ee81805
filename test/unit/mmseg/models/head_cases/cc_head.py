import torch

from ..head_plain import TANH, Row, block, classify, conv


def plain_criss_cross(layer, x):
    """Each pixel in turn, by the softmax over its column and its row."""
    query, key, value = (conv(part, x)
                         for part in (layer.query_conv, layer.key_conv, layer.value_conv))
    out = torch.zeros_like(value)
    height, width = x.shape[2:]
    for i in range(height):
        for j in range(width):
            others = [k for k in range(height) if k != i]
            keys, values = (torch.cat([part[:, :, others, j], part[:, :, i]], 2)
                            for part in (key, value))
            weights = (query[:, :, i, j].unsqueeze(2) * keys).sum(1, keepdim=True).exp()
            out[:, :, i, j] = (weights / weights.sum(2, keepdim=True) * values).sum(2)
    return x + layer.gamma.scale * out


def plain_cc(head, x, recurrence=2, **options):
    out = block(head.convs[0], x, 3, options)
    for _ in range(recurrence):
        out = plain_criss_cross(head.cca, out)
    out = block(head.convs[1], out, 3, options)
    return classify(head, block(head.conv_cat, torch.cat([x, out], 1), 3, options))


ROWS = {
    'CCHead': Row(plain_cc, [{}, dict(recurrence=1, channels=16, **TANH), dict(recurrence=3)]),
}
