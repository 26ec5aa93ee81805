"""One stage of a residual network."""
from collections.abc import Callable, Sequence

from torch import nn

from mmcv_replace.cnn import build_conv_layer, build_norm_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN


def _make_downsample(
    inplanes: int,
    outplanes: int,
    stride: int,
    avg_down: bool,
    conv_cfg: dict | None,
    norm_cfg: dict,
) -> nn.Sequential:
    """Projection of the shortcut; `avg_down` lets a pooling take the stride (ResNet-D)."""
    layers: list[nn.Module] = []
    if avg_down:
        layers.append(nn.AvgPool2d(stride, stride, ceil_mode=True))
        stride = 1
    layers.append(build_conv_layer(conv_cfg, inplanes, outplanes, kernel_size=1, stride=stride,
                                   bias=False))
    layers.append(build_norm_layer(norm_cfg, outplanes)[1])
    return nn.Sequential(*layers)


class ResLayer(nn.Sequential):
    """`num_blocks` residual blocks, of which the first has the stride and the projection.

    `multi_grid` gives each block its dilation. `contract_dilation` halves the first block's,
    which spares a dilated stage the gridding at its start. `kwargs` go to every block.
    """

    def __init__(
        self,
        block: Callable[..., nn.Module],
        inplanes: int,
        planes: int,
        num_blocks: int,
        stride: int = 1,
        dilation: int = 1,
        avg_down: bool = False,
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        multi_grid: Sequence[int] | None = None,
        contract_dilation: bool = False,
        **kwargs: object,
    ) -> None:
        outplanes = planes * block.expansion
        downsample = None
        if stride != 1 or inplanes != outplanes:
            downsample = _make_downsample(inplanes, outplanes, stride, avg_down, conv_cfg,
                                          norm_cfg)
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
