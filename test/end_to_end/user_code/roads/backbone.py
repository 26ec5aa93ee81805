"""Two backbones: one extends ResNet, the other is written from nothing."""
import torch.nn as nn
import torch.utils.checkpoint as cp
from mmcv.cnn import ConvModule, build_norm_layer, constant_init, kaiming_init
from mmcv.runner import load_checkpoint
from mmcv.utils.parrots_wrapper import _BatchNorm

from mmseg.models.backbones import ResNet
from mmseg.models.backbones.resnet import BasicBlock
from mmseg.models.builder import BACKBONES
from mmseg.models.utils import ResLayer
from mmseg.utils import get_root_logger


class ScaledBlock(BasicBlock):
    """A block whose branch is scaled by a norm without a bias of its own."""

    def __init__(self, inplanes, planes, stride=1, **kwargs):
        super().__init__(inplanes, planes, stride, **kwargs)
        _, self.out_norm = build_norm_layer(dict(type='BN'), planes)

    def forward(self, x):
        def run(x):
            identity = x if self.downsample is None else self.downsample(x)
            out = self.relu(self.norm1(self.conv1(x)))
            out = self.norm2(self.conv2(out))
            return self.out_norm(out) + identity

        out = cp.checkpoint(run, x) if self.with_cp and x.requires_grad else run(x)
        return self.relu(out)


@BACKBONES.register_module()
class SketchResNet(ResNet):
    """ResNet with a branch for edges, which is added to the first map."""

    arch_settings = {10: (ScaledBlock, (1, 1, 1, 1)), 18: (ScaledBlock, (2, 2, 2, 2))}

    def __init__(self, edge_channels=4, **kwargs):
        self.edge_channels = edge_channels
        super().__init__(**kwargs)
        self.edge = nn.Sequential(
            ConvModule(3, edge_channels, 3, stride=2, padding=1, norm_cfg=self.norm_cfg),
            nn.Conv2d(edge_channels, self.base_channels, 3, stride=2, padding=1))

    def make_res_layer(self, **kwargs):
        return ResLayer(**kwargs)

    def init_weights(self, pretrained=None):
        super().init_weights(pretrained)
        if pretrained is None:
            kaiming_init(self.edge[1])

    def forward(self, x):
        first, *others = super().forward(x)
        return (first + self.edge(x), *others)


@BACKBONES.register_module()
class PlainNet(nn.Module):
    """Two strided convolutions."""

    def __init__(self, in_channels=3, base_channels=8, norm_cfg=dict(type='BN'),  # noqa: B006
                 norm_eval=False):
        super().__init__()
        self.norm_eval = norm_eval
        self.conv1 = ConvModule(in_channels, base_channels, 3, stride=2, padding=1,
                                norm_cfg=norm_cfg)
        self.conv2 = ConvModule(base_channels, 2 * base_channels, 3, stride=2, padding=1,
                                norm_cfg=norm_cfg)

    def init_weights(self, pretrained=None):
        if isinstance(pretrained, str):
            load_checkpoint(self, pretrained, strict=False, logger=get_root_logger())
        elif pretrained is None:
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    kaiming_init(m)
                elif isinstance(m, (_BatchNorm, nn.GroupNorm)):
                    constant_init(m, 1)
        else:
            raise TypeError('pretrained must be a str or None')

    def forward(self, x):
        x = self.conv1(x)
        return x, self.conv2(x)

    def train(self, mode=True):
        super().train(mode)
        if mode and self.norm_eval:
            for m in self.modules():
                if isinstance(m, _BatchNorm):
                    m.eval()
