"""One stage of a residual network."""
from collections.abc import Callable, Sequence

from torch import nn

from mmcv_replace.cnn import build_conv_layer, build_norm_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN


class ResLayer(nn.Sequential):
    """`num_blocks` residual blocks; the first has the stride and projects the shortcut.

    `avg_down`: an average pooling takes the stride of the shortcut (ResNet-D, arXiv:1812.01187).
    `multi_grid`: the dilation of each block. `contract_dilation` halves the dilation of the first
    block, which avoids gridding at the start of a dilated stage. `kwargs` go to every block.
    """

    def __init__(
        self, block: Callable[..., nn.Module], inplanes: int, planes: int, num_blocks: int,
        stride: int = 1, dilation: int = 1, avg_down: bool = False, conv_cfg: dict | None = None,
        norm_cfg: dict = BN, multi_grid: Sequence[int] | None = None,
        contract_dilation: bool = False, **kwargs: object,
    ) -> None:
        outplanes = planes * block.expansion
        downsample = None
        if stride != 1 or inplanes != outplanes:
            pool = [nn.AvgPool2d(stride, stride, ceil_mode=True)] if avg_down else []
            downsample = nn.Sequential(
                *pool,
                build_conv_layer(conv_cfg, inplanes, outplanes, kernel_size=1,
                                 stride=1 if avg_down else stride, bias=False),
                build_norm_layer(norm_cfg, outplanes)[1])
        if multi_grid is not None:
            dilations = list(multi_grid)
        else:
            halve = contract_dilation and dilation > 1
            dilations = [dilation // 2 if halve else dilation] + [dilation] * (num_blocks - 1)
        options = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, **kwargs)
        super().__init__(
            block(inplanes, planes, stride=stride, dilation=dilations[0], downsample=downsample,
                  **options),
            *(block(outplanes, planes, dilation=each, **options) for each in dilations[1:]))
        self.block = block
