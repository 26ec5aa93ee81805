import torch
import torch.nn.functional as F

from ..head_plain import TANH, TWO_MAPS, Row, adaptive_pool, block, classify


def plain_psp(head, x, pool_scales=(1, 2, 3, 6), align_corners=False, **options):
    parts = [x]
    for scale, branch in zip(pool_scales, head.psp_modules, strict=True):
        part = block(branch[1], adaptive_pool(x, scale), 1, options)
        parts.append(F.interpolate(part, x.shape[2:], mode='bilinear',
                                   align_corners=align_corners))
    return classify(head, block(head.bottleneck, torch.cat(parts, 1), 3, options))


ROWS = {
    'PSPHead': Row(plain_psp, [
        {},
        dict(align_corners=True, pool_scales=(5,), **TANH),
        dict(pool_scales=(1, 3), fuse_pyramid=False, **TWO_MAPS)]),
}
