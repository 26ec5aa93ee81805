import torch
import torch.nn.functional as F

from ..head_plain import TANH, WIDTHS, Row, block, classify


def plain_ocr(head, x, previous, ocr_channels, scale=1, align_corners=False, **options):
    feats = block(head.bottleneck, x, 3, options)
    n, c, h, w = feats.shape
    classes = feats.new_zeros(n, c, previous.shape[1], 1)
    for i in range(n):
        for k, logits in enumerate(previous[i]):
            share = (scale * logits).exp() / (scale * logits).exp().sum()
            classes[i, :, k, 0] = (share * feats[i]).sum((1, 2))
    of = head.object_context_block
    query = block(of.query_project[1], block(of.query_project[0], feats, 1, options), 1, options)
    key = block(of.key_project[1], block(of.key_project[0], classes, 1, options), 1, options)
    value = block(of.value_project, classes, 1, options)
    query = F.max_pool2d(query, scale)
    energy = torch.einsum('nchw,nck->nkhw', query, key[..., 0]) / ocr_channels**0.5
    share = energy.exp() / energy.exp().sum(1, keepdim=True)
    context = block(of.out_project, torch.einsum('nkhw,nck->nchw', share, value[..., 0]), 1,
                    options)
    if scale > 1:
        context = F.interpolate(context, (h, w), mode='bilinear', align_corners=align_corners)
    return classify(head, block(of.bottleneck, torch.cat([context, feats], 1), 1, options))


ROWS = {
    'OCRHead': Row(plain_ocr, [
        dict(ocr_channels=4),
        dict(ocr_channels=6, scale=2, align_corners=True, **TANH),
        dict(ocr_channels=6, scale=3, norm_cfg=None, in_channels=WIDTHS[:0:-1], in_index=(2, 1),
             input_transform='resize_concat'),
        dict(ocr_channels=4, fuse_attention=False)]),
}
