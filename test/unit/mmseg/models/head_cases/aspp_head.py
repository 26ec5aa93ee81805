import torch
import torch.nn.functional as F

from ..head_plain import TANH, TWO_MAPS, WIDTHS, Row, block, classify, conv, normed


def plain_join(head, x, branches, options):
    mean = block(head.image_pool[1], x.mean((2, 3), keepdim=True), 1, options)
    parts = [mean.expand(-1, -1, *x.shape[2:]), *branches]
    return block(head.bottleneck, torch.cat(parts, 1), 3, options)


def plain_aspp(head, x, dilations=(1, 6, 12, 18), **options):
    branches = [block(branch, x, 1 if dilation == 1 else 3, options, dilation)
                for branch, dilation in zip(head.aspp_modules, dilations, strict=True)]
    return classify(head, plain_join(head, x, branches, options))


def separable(module, x, options, dilation=1):
    depth = module.depthwise_conv
    x = conv(depth.conv, x, padding=dilation, dilation=dilation, groups=x.shape[1])
    return block(module.pointwise_conv, normed(depth, x, options), 1, options)


def plain_separable(head, inputs, c1_in_channels, c1_channels, dilations=(1, 6, 12, 18),
                    align_corners=False, **options):
    x = inputs[options.pop('in_index', -1)]
    branches = [block(branch, x, 1, options) if dilation == 1 else
                separable(branch, x, options, dilation)
                for branch, dilation in zip(head.aspp_modules, dilations, strict=True)]
    x = plain_join(head, x, branches, options)
    if c1_in_channels:
        fine = block(head.c1_bottleneck, inputs[0], 1, options)
        x = torch.cat([F.interpolate(x, fine.shape[2:], mode='bilinear',
                                     align_corners=align_corners), fine], 1)
    for module in head.sep_bottleneck:
        x = separable(module, x, options)
    return classify(head, x)


ROWS = {
    'ASPPHead': Row(plain_aspp, [
        {},
        dict(dilations=(1, 3), align_corners=True, **TANH),
        dict(dilations=(2, 1, 5), fuse_pyramid=False, norm_cfg=None, **TWO_MAPS)]),
    'DepthwiseSeparableASPPHead': Row(plain_separable, [
        dict(c1_in_channels=WIDTHS[0], c1_channels=4),
        dict(c1_in_channels=WIDTHS[0], c1_channels=6, dilations=(1, 3), align_corners=True,
             in_index=1, in_channels=WIDTHS[1], **TANH),
        dict(c1_in_channels=0, c1_channels=0, dilations=(2, 4), fuse_pyramid=False,
             norm_cfg=None)], all_maps=True),
}
