import torch

from ..head_plain import TANH, TWO_MAPS, Row, block, classify, conv, normed_conv


def plain_non_local(layer, x, options, mode, use_scale, whitened=False, temperature=1.0):
    """Each pixel in turn, by its weights for all pixels."""
    value = conv(layer.g.conv, x).flatten(2)
    theta = phi = x.flatten(2)
    if mode != 'gaussian':
        theta, phi = (conv(part.conv, x).flatten(2) for part in (layer.theta, layer.phi))
    if whitened:
        theta, phi = (part - part.mean(2, keepdim=True) for part in (theta, phi))
    scale = (theta.shape[1] ** -0.5 if use_scale else 1) / temperature
    sums = []
    for own in theta.unbind(2):
        weights = (own.unsqueeze(2) * phi).sum(1)
        if mode == 'concatenation':
            for_own, for_other = layer.concat_project.conv.weight.flatten().chunk(2)
            weights = (own @ for_own).unsqueeze(1) + (phi * for_other.view(1, -1, 1)).sum(1)
            weights = weights.tanh() if 'act_cfg' in options else weights.clamp(min=0)
        if 'gaussian' in mode:
            weights = (weights * (scale if mode == 'embedded_gaussian' else 1)).exp()
            weights = weights / weights.sum(1, keepdim=True)
        else:
            weights = weights / weights.shape[1]
        sums.append((weights.unsqueeze(1) * value).sum(2))
    found = torch.stack(sums, 2)
    if whitened:
        weights = conv(layer.conv_mask, x).flatten(2).exp()
        found = found + (weights / weights.sum(2, keepdim=True) * value).sum(2, keepdim=True)
    return x + normed_conv(layer.conv_out, found.unflatten(2, x.shape[2:]), options)


def plain_nl(head, x, mode='embedded_gaussian', use_scale=True, concat_input=True, **options):
    out = block(head.convs[0], x, 3, options)
    out = block(head.convs[1], plain_non_local(head.nl_block, out, options, mode, use_scale), 3,
                options)
    if concat_input:
        out = block(head.conv_cat, torch.cat([x, out], 1), 3, options)
    return classify(head, out)


ROWS = {
    'NLHead': Row(plain_nl, [
        {},
        dict(use_scale=False, reduction=4, **TWO_MAPS),
        dict(mode='gaussian', concat_input=False),
        dict(mode='dot_product', norm_cfg=None, **TANH),
        dict(mode='concatenation', reduction=1)],
        own_layers=['nl_block']),
}
