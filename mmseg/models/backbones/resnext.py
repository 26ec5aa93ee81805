"""ResNeXt: residual blocks whose 3 x 3 convolutions work in groups of channels."""
from torch import nn

from ..builder import BACKBONES
from .resnet import ResNet
from .resnet_blocks import Bottleneck, add_conv


class GroupedBottleneck(Bottleneck):
    """Bottleneck with a grouped 3 x 3 convolution of `width` channels.

    With `groups` > 1 each group has planes * base_width / base_channels channels; one group has
    the planes, whatever base_width is.
    """

    runs_in_order = True

    def __init__(self, *args: object, groups: int = 1, base_width: int = 4,
                 base_channels: int = 64, **kwargs: object) -> None:
        self.groups = groups
        self.base_width = base_width
        self.base_channels = base_channels
        super().__init__(*args, **kwargs)

    @property
    def width(self) -> int:
        if self.groups == 1:
            return self.planes
        return self.planes * self.base_width // self.base_channels * self.groups

    def _add_conv2(self, conv_cfg: dict | None) -> None:
        add_conv(self, 2, conv_cfg, self.width, self.width, 3, self.conv2_stride, self.dilation,
                 self.groups)


@BACKBONES.register_module()
class ResNeXt(ResNet):
    """Residual network with grouped convolutions (arXiv:1611.05431).

    `groups`: number of groups, the paper's cardinality. `base_width`: channels of a group in the
    first stage (if `base_channels` is 64), which double from stage to stage. ResNeXt-101 (32 x 4d)
    is depth=101, groups=32, base_width=4. Other options: see ResNet.
    """

    arch_settings = {
        50: (GroupedBottleneck, (3, 4, 6, 3)),
        101: (GroupedBottleneck, (3, 4, 23, 3)),
        152: (GroupedBottleneck, (3, 8, 36, 3)),
    }
    positive = (*ResNet.positive, 'groups', 'base_width')
    runs_in_order = True

    def __init__(self, groups: int = 1, base_width: int = 4, **kwargs: object) -> None:
        self.groups = groups
        self.base_width = base_width
        super().__init__(**kwargs)

    def make_res_layer(self, **kwargs: object) -> nn.Module:
        return super().make_res_layer(groups=self.groups, base_width=self.base_width,
                                      base_channels=self.base_channels, **kwargs)
