import torch

from ..head_plain import TANH, WIDTHS, Row, block, classify

LAST_MAP = dict(in_channels=WIDTHS[-1:], in_index=(-1,))


def encode(head, x):
    """Differences of the pixels of an image from the codewords, by soft assignment: [K, C]."""
    layer, pixels = head.enc_module.encoding[0], x.flatten(1).T
    total = torch.zeros_like(layer.codewords)
    for pixel in pixels:
        difference = pixel - layer.codewords
        share = (layer.scale * difference.square().sum(1)).softmax(0)
        total += share[:, None] * difference
    return total


def plain_enc(head, inputs, num_codes=32, add_lateral=False, use_se_loss=True, **options):
    last = inputs if isinstance(inputs, torch.Tensor) else inputs[-1]
    x = block(head.bottleneck, last, 3, options)
    if add_lateral:
        parts = [block(conv, each, 1, options)
                 for conv, each in zip(head.lateral_convs, inputs, strict=False)]
        x = block(head.fusion, torch.cat([x, *parts], 1), 3, options)
    projected = block(head.enc_module.encoding_project, x, 1, options)
    codes = torch.stack([encode(head, image) for image in projected])
    norm, linear = head.enc_module.encoding[1], head.enc_module.fc[0]
    mean, var, weight, bias = (value[:, None] for value in (
        norm.running_mean, norm.running_var, norm.weight, norm.bias))
    codes = (codes - mean) / (var + norm.eps).sqrt() * weight + bias
    gain = (codes.clamp(min=0).mean(1) @ linear.weight.T + linear.bias).sigmoid()
    return classify(head, (x + x * gain[:, :, None, None]).clamp(min=0))


ROWS = {
    'EncHead': Row(plain_enc, [
        LAST_MAP,
        dict(num_codes=6, use_se_loss=False, in_channels=WIDTHS, in_index=(0, 1, 2), **TANH),
        dict(num_codes=4, in_channels=WIDTHS[-1:] * 2, in_index=(2, -1), add_lateral=True),
        dict(num_codes=2, norm_cfg=None, **LAST_MAP)]),
}
