"""Layers that enlarge maps and change their channels."""
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn import ConvModule, build_activation_layer, build_norm_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN, RELU
from mmcv_replace.cnn.bricks.registry import UPSAMPLE_LAYERS
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import Upsample

DOUBLE = {'scale_factor': 2, 'mode': 'bilinear', 'align_corners': False}


@UPSAMPLE_LAYERS.register_module()
class DeconvModule(nn.Module):
    """Transposed convolution, norm and activation.

    x: [N, in_channels, H, W] -> [N, out_channels, scale_factor * H, scale_factor * W].
    """

    def __init__(self, in_channels: int, out_channels: int, with_cp: bool = False,
                 norm_cfg: dict = BN, act_cfg: dict = RELU, *, kernel_size: int = 4,
                 scale_factor: int = 2) -> None:
        super().__init__()
        if kernel_size < scale_factor or (kernel_size - scale_factor) % 2:
            raise ConfigError(f'DeconvModule: kernel_size={kernel_size} must be scale_factor='
                              f'{scale_factor}, or more by an even number, for the map to grow by '
                              'that factor')
        self.with_cp = with_cp
        # The name is that in published weights.
        self.deconv_upsamping = nn.Sequential(
            nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride=scale_factor,
                               padding=(kernel_size - scale_factor) // 2),
            build_norm_layer(norm_cfg, out_channels)[1], build_activation_layer(act_cfg))

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return checkpoint(self.deconv_upsamping, x, use_reentrant=False)
        return self.deconv_upsamping(x)


@UPSAMPLE_LAYERS.register_module()
class InterpConv(nn.Module):
    """Interpolation as `upsample_cfg` says, then a convolution, or before it with `conv_first`.

    x: [N, in_channels, H, W] -> [N, out_channels, 2 * H, 2 * W] with the default arguments.
    A 1 x 1 convolution and an interpolation may change places, as both are linear and the weights
    of a mean sum to 1: by default it runs on the small map, with the same result up to rounding;
    `fuse_pyramid=False` keeps the order.
    """

    def __init__(
        self, in_channels: int, out_channels: int, with_cp: bool = False, norm_cfg: dict = BN,
        act_cfg: dict = RELU, *, conv_cfg: dict | None = None, conv_first: bool = False,
        kernel_size: int = 1, stride: int = 1, padding: int = 0,
        upsample_cfg: dict = DOUBLE, fuse_pyramid: bool = True,
    ) -> None:
        super().__init__()
        self.with_cp = with_cp
        self.conv_first = conv_first
        self.fuse_pyramid = fuse_pyramid
        layers = [Upsample(**upsample_cfg),
                  ConvModule(in_channels, out_channels, kernel_size, stride=stride,
                             padding=padding, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                             act_cfg=act_cfg)]
        self.interp_upsample = nn.Sequential(*(layers[::-1] if conv_first else layers))

    def _run(self, x: Tensor) -> Tensor:
        first, second = self.interp_upsample
        if self.fuse_pyramid and not self.conv_first and second.is_plain:
            conv = second.conv
            if conv.kernel_size == conv.stride == (1, 1) and conv.padding == (0, 0):
                return second.after_conv(first(conv(x)))
        return second(first(x))

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return checkpoint(self._run, x, use_reentrant=False)
        return self._run(x)
