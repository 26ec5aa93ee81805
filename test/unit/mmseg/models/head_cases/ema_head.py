import torch

from ..head_plain import TANH, TWO_MAPS, Row, block, classify, conv, normed_conv


def rebuild(bases, x, num_stages):
    """A picture [C, h, w] by bases [C, K]: pixel by pixel."""
    pixels = x.flatten(1).T
    for _ in range(num_stages):
        shares = torch.stack([(bases.T @ pixel).exp() for pixel in pixels])
        shares = shares / shares.sum(1, keepdim=True)
        means = [sum(share * pixel for share, pixel in zip(shares[:, k], pixels, strict=True))
                 for k in range(bases.shape[1])]
        bases = torch.stack([mean / mean.norm() for mean in means], 1)
    return torch.stack([bases @ share for share in shares], 1).view(x.shape)


def plain_ema(head, x, num_stages=3, concat_input=True, **options):
    features = block(head.ema_in_conv, x, 3, options)
    middle = conv(head.ema_mid_conv.conv, features)
    rebuilt = torch.stack([rebuild(head.ema_module.bases[0], each, num_stages) for each in middle])
    out = normed_conv(head.ema_out_conv, rebuilt.clamp(min=0), options)
    out = block(head.bottleneck, (features + out).clamp(min=0), 3, options)
    if concat_input:
        out = block(head.conv_cat, torch.cat([x, out], 1), 3, options)
    return classify(head, out)


SIZES = dict(ema_channels=6, num_bases=4, num_stages=3)
ROWS = {
    'EMAHead': Row(plain_ema, [
        SIZES,
        dict(SIZES, num_stages=1, concat_input=False, **TWO_MAPS),
        dict(SIZES, num_bases=1, fuse_concat=False, norm_cfg=None, **TANH)],
        own_norms=('ema_mid_conv', 'ema_out_conv')),
}
