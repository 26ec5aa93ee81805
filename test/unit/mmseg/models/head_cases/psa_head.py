import torch
import torch.nn.functional as F

from ..head_plain import TANH, TWO_MAPS, Row, block, classify, conv, normed_conv


def plain_sums(values, masks, kind, mask_size, softmax):
    """Each pixel takes from all places by the entries of masks: its own, or those of the places.

    values: [N, C, h, w], masks: [N, entries, h, w].
    """
    height, width = values.shape[2:]
    middle = [(size - 1) // 2 for size in mask_size]
    out = torch.zeros_like(values)
    for y in range(height):
        for x in range(width):
            weights = torch.zeros(len(values), height, width, dtype=values.dtype)
            for i in range(height):
                for j in range(width):
                    own, other = ((y, x), (i, j)) if kind == 'collect' else ((i, j), (y, x))
                    row, column = (b - a + m for a, b, m in zip(own, other, middle, strict=True))
                    if 0 <= row < mask_size[0] and 0 <= column < mask_size[1]:
                        weights[:, i, j] = masks[:, row * mask_size[1] + column, own[0], own[1]]
            if softmax:
                weights = weights.exp() / weights.exp().sum((1, 2), keepdim=True)
            out[:, :, y, x] = (values * weights.unsqueeze(1)).sum((2, 3))
    return out


def compact_sums(values, masks, turned, softmax):
    """Entry i of the mask of pixel j is the weight of place i for j or, `turned`, of j for i."""
    weights = masks.flatten(2).transpose(1, 2) if turned else masks.flatten(2)
    if softmax:
        weights = weights.exp() / weights.exp().sum(1, keepdim=True)
    return torch.einsum('nci,nij->ncj', values.flatten(2), weights).view(values.shape)


def plain_psa(head, x, mask_size, psa_type='bi-direction', compact=False, shrink_factor=2,
              normalization_factor=1.0, psa_softmax=True, align_corners=False, **options):
    size = [n // shrink_factor for n in x.shape[2:]]
    if shrink_factor > 1:
        align_corners = all(n % shrink_factor for n in x.shape[2:])
        size = [n + align_corners for n in size]
    both = psa_type == 'bi-direction'
    branches = [(head.reduce, head.attention, 'collect' if both else psa_type)]
    if both:
        branches.append((head.reduce_p, head.attention_p, 'distribute'))
    found = []
    for reduce, attention, kind in branches:
        values = F.interpolate(block(reduce, x, 1, options), size, mode='bilinear',
                               align_corners=align_corners)
        masks = conv(attention[1], block(attention[0], values, 1, options))
        if compact:
            turned = kind == ('distribute' if both else 'collect')
            sums = compact_sums(values, masks, turned, psa_softmax)
        else:
            sums = plain_sums(values, masks, kind, mask_size, psa_softmax)
        found.append(sums / (normalization_factor or mask_size[0] * mask_size[1]))
    out = normed_conv(head.proj, torch.cat(found, 1), options, padding=1)
    out = F.interpolate(out.tanh() if 'act_cfg' in options else out.clamp(min=0), x.shape[2:],
                        mode='bilinear', align_corners=align_corners)
    return classify(head, block(head.bottleneck, torch.cat([x, out], 1), 3, options))


ROWS = {
    # The map of 7 x 11 pixels is shrunk to 4 x 6, that of 15 x 21 to 7 x 10 or 5 x 7.
    'PSAHead': Row(plain_psa, [
        dict(mask_size=(7, 9), shrink_factor=1),
        dict(mask_size=[5, 13]),
        dict(mask_size=(4, 6), psa_type='collect', psa_softmax=False, normalization_factor=3.0),
        dict(mask_size=(9, 4), psa_type='distribute', shrink_factor=3, psa_softmax=False,
             normalization_factor=None, **TWO_MAPS, **TANH),
        dict(mask_size=(8, 3), compact=True, normalization_factor=0.5),
        dict(mask_size=(4, 6), compact=True, psa_type='collect', norm_cfg=None),
        dict(mask_size=(4, 6), compact=True, psa_type='distribute', psa_softmax=False),
        dict(mask_size=(5, 5), psa_type='distribute', shrink_factor=1, align_corners=True)]),
}
