import torch

from ..head_plain import TANH, TWO_MAPS, Row, adaptive_pool, block, classify, conv


def context(module, x, scale, fusion, options):
    cells = block(module.pooled_redu_conv, adaptive_pool(x, scale), 1, options).flatten(2)
    x = block(module.input_redu_conv, x, 1, options)
    whole = block(module.global_info, adaptive_pool(x, 1), 1, options)
    weights = conv(module.gla, x + whole).sigmoid().flatten(2)
    out = torch.zeros_like(x).flatten(2)
    for cell in range(scale ** 2):
        out += weights[:, None, cell] * cells[:, :, None, cell]
    out = (x + block(module.residual_conv, out.view(x.shape), 1, options)).clamp(min=0)
    return block(module.fusion_conv, out, 1, options) if fusion else out


def plain_apc(head, x, pool_scales=(1, 2, 3, 6), fusion=True, **options):
    parts = [context(module, x, scale, fusion, options)
             for scale, module in zip(pool_scales, head.acm_modules, strict=True)]
    return classify(head, block(head.bottleneck, torch.cat([x, *parts], 1), 3, options))


ROWS = {
    'APCHead': Row(plain_apc, [
        {},
        dict(pool_scales=(5,), fusion=False, norm_cfg=None, **TANH),
        dict(pool_scales=(1, 3), fuse_pyramid=False, **TWO_MAPS)]),
}
