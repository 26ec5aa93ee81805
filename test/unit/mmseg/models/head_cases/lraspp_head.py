import torch
import torch.nn.functional as F

from ..head_plain import TANH, WIDTHS, Row, block, classify, conv

MAPS = dict(in_channels=WIDTHS, in_index=(0, 1, 2), input_transform='multiple_select')


def plain(head, maps, align_corners=False, **options):
    def enlarge(x, like):
        return F.interpolate(x, like.shape[2:], mode='bilinear', align_corners=align_corners)

    *finer, x = maps
    # All maps of the tests are smaller than the window.
    weights = conv(head.image_pool[1].conv, x.mean((2, 3), keepdim=True)).sigmoid()
    x = conv(head.conv_up_input, block(head.aspp_conv, x, 1, options) * weights)
    for i in reversed(range(len(finer))):
        joined = torch.cat([enlarge(x, finer[i]), conv(head.convs[i], finer[i])], 1)
        x = block(head.conv_ups[i], joined, 1, options)
    return classify(head, x)


ROWS = {
    'LRASPPHead': Row(plain, [
        dict(branch_channels=(3, 5), **MAPS),
        dict(branch_channels=(6,), align_corners=True, **TANH, in_channels=WIDTHS[1:],
             in_index=(1, 2), input_transform='multiple_select'),
        dict(MAPS, fuse_pyramid=False)],
        own_norms=['image_pool.1'],
        any_size=False),  # a smaller map has another window
}
