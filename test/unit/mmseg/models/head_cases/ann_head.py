import torch
import torch.nn.functional as F

from ..head_plain import TANH, WIDTHS, Row, adaptive_pool, block, classify, conv, normed_conv


def cells(x, scales):
    return torch.cat([adaptive_pool(x, scale).flatten(2) for scale in scales], 2)


def attention(stage, low, high, options, query_scale, key_pool_scales, align_corners):
    query = block(stage.query_project, high, 1, options)
    if query_scale > 1:
        query = F.max_pool2d(query, query_scale)
    key = cells(block(stage.key_project, low, 1, options), key_pool_scales)
    value = cells(conv(stage.value_project, low), key_pool_scales)
    out = torch.zeros(*value.shape[:2], *query.shape[2:], dtype=value.dtype)
    for i in range(query.shape[2]):
        for j in range(query.shape[3]):
            similar = (query[:, :, i, j, None] * key).sum(1) / query.shape[1]**0.5
            out[:, :, i, j] = (similar.softmax(1).unsqueeze(1) * value).sum(2)
    out = conv(stage.out_project, out)
    return F.interpolate(out, high.shape[2:], mode='bilinear', align_corners=align_corners)


def plain_ann(head, maps, project_channels, query_scales=(1,), key_pool_scales=(1, 3, 6, 8),
              align_corners=False, **options):
    def look(fusion, low, high):
        context = sum(attention(stage, low, high, options, scale, key_pool_scales, align_corners)
                      for stage, scale in zip(fusion.stages, query_scales, strict=True))
        return torch.cat([context, high], 1)

    x = normed_conv(head.fusion.bottleneck, look(head.fusion, *maps), options)
    x = block(head.bottleneck, x, 3, options)
    return classify(head, block(head.context.bottleneck, look(head.context, x, x), 1, options))


MAPS = dict(in_channels=WIDTHS[:2], in_index=(0, 1))
ROWS = {
    'ANNHead': Row(plain_ann, [
        dict(project_channels=6, **MAPS),
        dict(project_channels=2, key_pool_scales=(1, 2), **MAPS | TANH),
        dict(project_channels=24, query_scales=(1, 2), key_pool_scales=(3,), align_corners=True,
             out_channels=1, num_classes=2, **MAPS,
             loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))]),
}
