import torch

from ..head_plain import (
    TANH,
    TWO_MAPS,
    Row,
    activated,
    adaptive_pool,
    block,
    classify,
    conv,
)


def filtered(module, x, size, fusion, options):
    filters = conv(module.filter_gen_conv, adaptive_pool(x, size))
    x = block(module.input_redu_conv, x, 1, options)
    height, width = x.shape[2:]
    wide = x.new_zeros(*x.shape[:2], height + size - 1, width + size - 1)
    wide[:, :, size // 2:size // 2 + height, size // 2:size // 2 + width] = x
    out = torch.zeros_like(x)
    for i in range(size):
        for j in range(size):
            out += wide[:, :, i:i + height, j:j + width] * filters[:, :, i:i + 1, j:j + 1]
    if module.norm is not None:
        mean, var, weight, bias = (value.view(-1, 1, 1) for value in (
            module.norm.running_mean, module.norm.running_var, module.norm.weight,
            module.norm.bias))
        out = (out - mean) / (var + module.norm.eps).sqrt() * weight + bias
    out = activated(out, options)
    return block(module.fusion_conv, out, 1, options) if fusion else out


def plain_dm(head, x, filter_sizes=(1, 3, 5, 7), fusion=False, **options):
    parts = [filtered(module, x, size, fusion, options)
             for size, module in zip(filter_sizes, head.dcm_modules, strict=True)]
    return classify(head, block(head.bottleneck, torch.cat([x, *parts], 1), 3, options))


ROWS = {
    'DMHead': Row(plain_dm, [
        {},
        dict(filter_sizes=(2, 4), fusion=True, norm_cfg=None, **TANH),
        dict(filter_sizes=(5,), fusion=True, fuse_pyramid=False, **TWO_MAPS)],
        free_norms=('.norm',)),
}
