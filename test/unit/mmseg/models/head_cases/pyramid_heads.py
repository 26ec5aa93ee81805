"""Heads over several maps of a pyramid."""
import torch
import torch.nn.functional as F

from ..head_plain import TANH, WIDTHS, Row, adaptive_pool, block, classify

MAPS = dict(in_channels=WIDTHS, in_index=(0, 1, 2))


def enlarge(x, size, align_corners):
    return F.interpolate(x, size, mode='bilinear', align_corners=align_corners)


def plain_uper(head, inputs, pool_scales=(1, 2, 3, 6), align_corners=False, **options):
    def join(module, maps):
        size = maps[0].shape[2:]
        return block(module, torch.cat([enlarge(x, size, align_corners) for x in maps], 1), 3,
                     options)

    last = inputs[-1]
    pooled = [block(branch[1], adaptive_pool(last, scale), 1, options)
              for scale, branch in zip(pool_scales, head.psp_modules, strict=True)]
    total = join(head.bottleneck, [last, *pooled])
    maps = [total]
    for x, lateral, smooth in zip(inputs[-2::-1], head.lateral_convs[::-1], head.fpn_convs[::-1],
                                  strict=True):
        total = block(lateral, x, 1, options) + enlarge(total, x.shape[2:], align_corners)
        maps = [block(smooth, total, 3, options), *maps]
    return classify(head, join(head.fpn_bottleneck, maps))


def plain_fpn(head, inputs, feature_strides, align_corners=False, **options):
    total = 0
    for layers, x, stride in zip(head.scale_heads, inputs, feature_strides, strict=True):
        ratio = stride // feature_strides[0]
        x = block(layers[0], x, 3, options)
        for i in range(2, len(layers) + 1, 2):
            x = enlarge(x, [2 * size for size in x.shape[2:]], align_corners)
            ratio //= 2
            if ratio > 1:
                x = block(layers[i], x, 3, options)
        assert ratio == 1
        total = total + enlarge(x, inputs[0].shape[2:], align_corners)
    return classify(head, total)


ROWS = {
    'UPerHead': Row(plain_uper, [
        MAPS,
        dict(align_corners=True, pool_scales=(2, 5), **MAPS, **TANH),
        dict(pool_scales=(1, 3), fuse_pyramid=False, norm_cfg=None, in_channels=WIDTHS[1:],
             in_index=(1, 2))]),
    'FPNHead': Row(plain_fpn, [
        dict(feature_strides=(4, 8, 16), **MAPS),
        dict(feature_strides=(8, 16), align_corners=True, in_channels=WIDTHS[1:],
             in_index=(1, 2), **TANH),
        dict(feature_strides=(4, 4, 32), norm_cfg=None, **MAPS)]),
}
