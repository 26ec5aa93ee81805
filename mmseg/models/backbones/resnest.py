"""ResNeSt: residual blocks with attention over splits of the channels."""
from torch import Tensor, nn

from mmcv_replace.cnn.utils.recompute import norm_relu_conv

from ..builder import BACKBONES
from ..utils import SplitAttentionConv2d
from .resnet import ResNetV1d
from .resnext import GroupedBottleneck


class SplitAttentionBottleneck(GroupedBottleneck):
    """Bottleneck whose 3 x 3 convolution is a SplitAttentionConv2d, norm and ReLU included.

    `avg_down_stride`: an average pooling behind the convolution takes its stride.
    """

    runs_in_order = True

    def __init__(self, *args: object, radix: int = 2, reduction_factor: int = 4,
                 avg_down_stride: bool = True, **kwargs: object) -> None:
        self.radix = radix
        self.reduction_factor = reduction_factor
        self.avg_down_stride = avg_down_stride
        super().__init__(*args, **kwargs)

    def _add_conv2(self, conv_cfg: dict | None) -> None:
        self.avg_down_stride = self.avg_down_stride and self.conv2_stride > 1
        self.conv2 = SplitAttentionConv2d(
            self.width, self.width, 3, stride=1 if self.avg_down_stride else self.conv2_stride,
            padding=self.dilation, dilation=self.dilation, groups=self.groups, radix=self.radix,
            reduction_factor=self.reduction_factor, conv_cfg=conv_cfg, norm_cfg=self.norm_cfg)
        if self.avg_down_stride:
            self.avd_layer = nn.AvgPool2d(3, self.conv2_stride, padding=1)

    def branch(self, x: Tensor) -> Tensor:
        out = self._split_attention(self.conv1(x))
        if self.avg_down_stride:
            out = self.avd_layer(out)
        out = self.conv3(self.forward_plugin(out, self.after_conv2_plugin_names))
        return self.forward_plugin(self.norm3(out), self.after_conv3_plugin_names)

    def _split_attention(self, x: Tensor) -> Tensor:
        """Norm, ReLU, plugins, and the attention of their result."""
        names, conv2 = self.after_conv1_plugin_names, self.conv2
        if names or conv2._forward_hooks or conv2._forward_pre_hooks:
            return conv2(self.forward_plugin(self.relu(self.norm1(x)), names))
        return conv2.after_conv(norm_relu_conv(self.norm1, self.relu, conv2.conv, x,
                                               self.recompute_norms))


@BACKBONES.register_module()
class ResNeSt(ResNetV1d):
    """Split-attention network (arXiv:2004.08955), with the stem and shortcuts of ResNetV1d.

    `groups` and `base_width`: as in ResNeXt. `radix`: number of splits that are weighted against
    each other; `reduction_factor`: by how much the attention's hidden layer is narrower than they
    are. `avg_down_stride`: an average pooling takes the stride of a block. Other options: see
    ResNet.
    """

    arch_settings = {
        50: (SplitAttentionBottleneck, (3, 4, 6, 3)),
        101: (SplitAttentionBottleneck, (3, 4, 23, 3)),
        152: (SplitAttentionBottleneck, (3, 8, 36, 3)),
        200: (SplitAttentionBottleneck, (3, 24, 36, 3)),
    }
    positive = (*ResNetV1d.positive, 'groups', 'base_width', 'radix', 'reduction_factor')
    runs_in_order = True

    def __init__(self, groups: int = 1, base_width: int = 4, radix: int = 2,
                 reduction_factor: int = 4, avg_down_stride: bool = True,
                 **kwargs: object) -> None:
        self.groups = groups
        self.base_width = base_width
        self.radix = radix
        self.reduction_factor = reduction_factor
        self.avg_down_stride = avg_down_stride
        super().__init__(**kwargs)

    def make_res_layer(self, **kwargs: object) -> nn.Module:
        return super().make_res_layer(
            groups=self.groups, base_width=self.base_width, base_channels=self.base_channels,
            radix=self.radix, reduction_factor=self.reduction_factor,
            avg_down_stride=self.avg_down_stride, **kwargs)
