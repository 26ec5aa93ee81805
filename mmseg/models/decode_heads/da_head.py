"""Dual attention head: of pixels to pixels and of channels to channels."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.cnn.bricks.scale import Scale
from mmcv_replace.utils.autocast import no_autocast
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import add_prefix

from ..builder import HEADS
from ..utils import SelfAttentionBlock
from .decode_head import BaseDecodeHead


class PAM(SelfAttentionBlock):
    """Position attention: x + gamma * (means of all pixels by their similarity); gamma starts at 0.

    x: [N, in_channels, H, W] -> the same shape; compared are projections to `channels`.
    """

    def __init__(self, in_channels: int, channels: int, fuse_attention: bool = True) -> None:
        super().__init__(
            key_in_channels=in_channels, query_in_channels=in_channels, channels=channels,
            out_channels=in_channels, share_key_query=False, query_downsample=None,
            key_downsample=None, key_query_num_convs=1, value_out_num_convs=1,
            key_query_norm=False, value_out_norm=False, matmul_norm=False, with_out=False,
            conv_cfg=None, norm_cfg=None, act_cfg=None, fuse_attention=fuse_attention)
        self.gamma = Scale(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.gamma(super().forward(x, x)) + x


class CAM(nn.Module):
    """Channel attention: x + gamma * (means of all channels by dissimilarity); gamma starts at 0.

    x: [N, C, H, W] -> the same shape.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gamma = Scale(0)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        # Sums over all pixels are large, and their differences count: not in 16 bits.
        with no_autocast(x):
            wide = flat.float() if flat.dtype.itemsize < 4 else flat
            # The paper subtracts the products from their largest one, which softmax does by
            # itself: it sees their differences alone.
            weights = (-(wide @ wide.transpose(1, 2))).softmax(-1)  # [N, C, C]
            mixed = weights.to(flat.dtype) @ flat
        return self.gamma(mixed.view_as(x)) + x


@HEADS.register_module()
class DAHead(BaseDecodeHead):
    """Attention of pixels and of channels side by side, and their sum (DANet, arXiv:1809.02983).

    Pixels are compared by `pam_channels` channels. In training each of the two attentions has a
    classifier of its own beside that of the sum: losses are logged as pam_cam.loss_seg,
    pam.loss_seg and cam.loss_seg. `forward` gives the logits of the sum alone.
    `fuse_attention=False` holds the matrix of all pairs of pixels in memory.
    """

    def __init__(self, pam_channels: int, fuse_attention: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if pam_channels < 1:
            raise ConfigError(f'DAHead: pam_channels={pam_channels} must be 1 or more')
        self.pam_channels = pam_channels
        self.fuse_attention = fuse_attention
        self.pam_in_conv = self.conv_module(self.in_channels, self.channels, 3)
        self.pam = PAM(self.channels, pam_channels, fuse_attention)
        self.pam_out_conv = self.conv_module(self.channels, self.channels, 3)
        self.pam_conv_seg = nn.Conv2d(self.channels, self.out_channels, 1)
        self.cam_in_conv = self.conv_module(self.in_channels, self.channels, 3)
        self.cam = CAM()
        self.cam_out_conv = self.conv_module(self.channels, self.channels, 3)
        self.cam_conv_seg = nn.Conv2d(self.channels, self.out_channels, 1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        pam, cam = self._attend(inputs)
        return self.cls_seg(pam + cam)

    def _attend(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Features by the attention of pixels and by that of channels, [N, channels, H, W]."""
        x = self._transform_inputs(inputs)
        return (self.pam_out_conv(self.pam(self.pam_in_conv(x))),
                self.cam_out_conv(self.cam(self.cam_in_conv(x))))

    def pam_cls_seg(self, feat: Tensor) -> Tensor:
        """Classify by the attention of pixels: [N, channels, H, W] -> [N, out_channels, H, W]."""
        return self.pam_conv_seg(feat if self.dropout is None else self.dropout(feat))

    def cam_cls_seg(self, feat: Tensor) -> Tensor:
        """Classify by the attention of channels, as `pam_cls_seg`."""
        return self.cam_conv_seg(feat if self.dropout is None else self.dropout(feat))

    def forward_train(self, inputs: Sequence[Tensor], img_metas: Sequence[dict],
                      gt_semantic_seg: Tensor, train_cfg: dict | None) -> dict[str, Tensor]:
        pam, cam = self._attend(inputs)
        of_pam, of_cam = self.pam_cls_seg(pam), self.cam_cls_seg(cam)
        losses: dict[str, Tensor] = {}
        for name, logits in (('pam_cam', self.cls_seg(pam + cam)), ('pam', of_pam),
                             ('cam', of_cam)):
            losses.update(add_prefix(self.losses(logits, gt_semantic_seg), name))
        return losses
