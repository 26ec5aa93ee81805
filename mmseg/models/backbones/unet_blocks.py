"""The convolutions of U-Net."""
from collections.abc import Sequence

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import BN, RELU

from ..utils.conv_blocks import run_blocks
from ..utils.up_conv_block import refuse_extensions


class BasicConvBlock(nn.Module):
    """`num_convs` 3 x 3 convolutions: [N, in_channels, H, W] -> [N, out_channels, H / s, W / s].

    The first has the stride s, the others the dilation. `with_cp` computes the block again in
    backward; the attribute `recompute_norms` does so with norms and activations alone. Several maps
    count as concatenated.
    """

    takes_parts = True
    recompute_norms = False

    def __init__(self, in_channels: int, out_channels: int, num_convs: int = 2, stride: int = 1,
                 dilation: int = 1, with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = BN, act_cfg: dict | None = RELU, dcn: dict | None = None,
                 plugins: Sequence[dict] | None = None) -> None:
        super().__init__()
        refuse_extensions(type(self).__name__, dcn, plugins)
        self.with_cp = with_cp
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.convs = nn.Sequential(
            ConvModule(in_channels, out_channels, 3, stride=stride, padding=1, **layers),
            *(ConvModule(out_channels, out_channels, 3, padding=dilation, dilation=dilation,
                         **layers) for _ in range(num_convs - 1)))

    def _run(self, *parts: Tensor) -> Tensor:
        return run_blocks(self.convs, parts, self.recompute_norms)

    def forward(self, *parts: Tensor) -> Tensor:
        if self.with_cp and any(part.requires_grad for part in parts):
            return checkpoint(self._run, *parts, use_reentrant=False)
        return self._run(*parts)
