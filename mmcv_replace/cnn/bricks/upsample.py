"""Upsampling layers by name."""
import torch.nn.functional as F
from torch import Tensor, nn

from ..utils.layer_init import xavier_init
from .layer_cfg import build_layer, layer_class
from .registry import UPSAMPLE_LAYERS


@UPSAMPLE_LAYERS.register_module(name='pixel_shuffle')
class PixelShufflePack(nn.Module):
    """Convolution to scale_factor**2 times the channels, then pixel shuffle (arXiv:1609.05158).

    x: [N, in_channels, H, W] -> [N, out_channels, scale_factor * H, scale_factor * W].
    """

    def __init__(self, in_channels: int, out_channels: int, scale_factor: int,
                 upsample_kernel: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.scale_factor = scale_factor
        self.upsample_kernel = upsample_kernel
        self.upsample_conv = nn.Conv2d(
            in_channels, out_channels * scale_factor**2, upsample_kernel,
            padding=(upsample_kernel - 1) // 2)
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the convolution's weights (Xavier, uniform)."""
        xavier_init(self.upsample_conv, distribution='uniform')

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.upsample_conv(x), self.scale_factor)


def build_upsample_layer(cfg: dict, *args: object, **kwargs: object) -> nn.Module:
    """Build the layer that `cfg` names: nearest, bilinear, deconv, pixel_shuffle.

    nearest and bilinear take `scale_factor` or `size`, and bilinear `align_corners`.
    """
    cls, _ = layer_class(UPSAMPLE_LAYERS, cfg)
    if cls is nn.Upsample:
        cfg = cfg.copy()
        cfg['mode'] = cfg['type']
    return build_layer(UPSAMPLE_LAYERS, cfg, *args, **kwargs)
