import torch

from ..head_plain import TANH, TWO_MAPS, WIDTHS, Row, block, classify


def plain_fcn(head, x, num_convs=2, kernel_size=3, dilation=1, concat_input=True, **options):
    out = x
    for i in range(num_convs):
        out = block(head.convs[i], out, kernel_size, options, dilation)
    if concat_input:
        out = block(head.conv_cat, torch.cat([x, out], 1), kernel_size, options)
    return classify(head, out)


ROWS = {
    'FCNHead': Row(plain_fcn, [
        {},
        dict(num_convs=1, concat_input=False, **TWO_MAPS),
        dict(num_convs=1, concat_input=False, in_channels=WIDTHS, in_index=(0, 1, 2),
             input_transform='resize_concat', align_corners=True),
        dict(kernel_size=1, dilation=2, norm_cfg=None, **TANH),
        dict(num_convs=3, dilation=2, out_channels=1, num_classes=2,
             loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)),
        dict(num_convs=0, channels=WIDTHS[-1])]),
}
