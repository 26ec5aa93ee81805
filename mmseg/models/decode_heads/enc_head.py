"""Context encoding head."""
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule, build_norm_layer
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import Encoding

from ..builder import HEADS, build_loss
from ..losses.utils import valid_pixels
from ..utils import convolve_all
from .decode_head import BaseDecodeHead

SIGMOID = {'type': 'CrossEntropyLoss', 'use_sigmoid': True, 'loss_weight': 0.2}


class EncModule(nn.Module):
    """Weights the channels of a map by how it is encoded with learned codewords.

    x: [N, channels, h, w] -> (encoding [N, channels], weighted map [N, channels, h, w]).
    """

    def __init__(self, channels: int, num_codes: int, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__()
        self.encoding_project = ConvModule(channels, channels, 1, conv_cfg=conv_cfg,
                                           norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.encoding = nn.Sequential(
            Encoding(channels, num_codes),
            build_norm_layer(norm_of_codes(norm_cfg), num_codes)[1],
            nn.ReLU(inplace=True))
        self.fc = nn.Sequential(nn.Linear(channels, channels), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        encoded = self.encoding(self.encoding_project(x)).mean(dim=1)
        gain = self.fc(encoded) + 1
        return encoded, F.relu_(x * gain[:, :, None, None])


def norm_of_codes(norm_cfg: dict | None) -> dict:
    """The config of the norm of encodings [N, codes, channels], like `norm_cfg` that of maps."""
    if norm_cfg is None:
        return dict(type='BN1d')
    name = norm_cfg['type']
    if isinstance(name, str):
        name = f'{name}1d' if name in ('BN', 'IN') else name.replace('2d', '1d')
    return dict(norm_cfg, type=name)


@HEADS.register_module()
class EncHead(BaseDecodeHead):
    """Channels weighted by an encoding of the whole image (EncNet, arXiv:1803.08904).

    `add_lateral` fuses the smaller-strided maps of `in_index` with the last one. With
    `use_se_loss`, a layer predicts from the encoding which classes are in the image, and is trained
    by `loss_se_decode`, which is logged as loss_se; labels that are no class, or ignored, are in no
    image. `fuse_concat`: convolve laterals one by one instead of their concatenation, with the same
    result.
    """

    def __init__(self, num_codes: int = 32, use_se_loss: bool = True, add_lateral: bool = False,
                 loss_se_decode: dict = SIGMOID, fuse_concat: bool = True,
                 **kwargs: object) -> None:
        super().__init__(input_transform='multiple_select', **kwargs)
        self.use_se_loss = use_se_loss
        self.add_lateral = add_lateral
        self.num_codes = num_codes
        self.fuse_concat = fuse_concat
        self.bottleneck = self.conv_module(self.in_channels[-1], self.channels, 3)
        if add_lateral:
            self.lateral_convs = nn.ModuleList(
                self.conv_module(width, self.channels, 1) for width in self.in_channels[:-1])
            self.fusion = self.conv_module(len(self.in_channels) * self.channels, self.channels, 3)
        self.enc_module = EncModule(self.channels, num_codes, **self.layer_cfg)
        if use_se_loss:
            self.loss_se_decode = build_loss(loss_se_decode)
            if getattr(self.loss_se_decode, 'use_sigmoid', True) is False:
                raise ConfigError(f'EncHead: loss_se_decode={dict(loss_se_decode)} is a softmax '
                                  'loss of one class, but an image holds several: set '
                                  'use_sigmoid=True')
            if hasattr(self.loss_se_decode, 'check_classes'):
                self.loss_se_decode.check_classes(self.num_classes)
            self.se_layer = nn.Linear(self.channels, self.num_classes)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor | tuple[Tensor, Tensor]:
        """Logits; in training with `use_se_loss` also those of the classes, [N, num_classes]."""
        *others, x = self._transform_inputs(inputs)
        x = self.bottleneck(x)
        if self.add_lateral:
            laterals = [conv(each) for conv, each in zip(self.lateral_convs, others, strict=True)]
            if any(each.shape != x.shape for each in laterals):
                sizes = [tuple(each.shape[2:]) for each in [*laterals, x]]
                raise ConfigError(f'EncHead: add_lateral=True needs maps of one size, but in_index='
                                  f'{self.in_index} chooses {sizes}: choose maps of one stride, or '
                                  'leave add_lateral out')
            x = convolve_all(self.fusion, [x, *laterals], self.fuse_concat)
        encoded, x = self.enc_module(x)
        logits = self.cls_seg(x)
        if self.use_se_loss and self.training:
            return logits, self.se_layer(encoded)
        return logits

    def forward_test(self, inputs: Sequence[Tensor], img_metas: Sequence[dict] | None,
                     test_cfg: dict | None) -> Tensor:
        """Logits for prediction, also while the head is in training."""
        logits = self(inputs)
        return logits if isinstance(logits, Tensor) else logits[0]

    def losses(self, seg_logit: Tensor | tuple[Tensor, Tensor], seg_label: Tensor
               ) -> dict[str, Tensor]:
        """Losses of the logits, and `loss_se` of those of the classes where they are given."""
        if isinstance(seg_logit, Tensor):
            return super().losses(seg_logit, seg_label)
        seg_logit, se_logit = seg_logit
        losses = super().losses(seg_logit, seg_label)
        if se_logit.dtype.itemsize < 4:
            se_logit = se_logit.float()
        losses['loss_se'] = self.loss_se_decode(se_logit, self._present(seg_label, se_logit))
        return losses

    def _present(self, label: Tensor, like: Tensor) -> Tensor:
        """1 for each class that is in the image, 0 for the others: [N, 1, H, W] -> [N, classes]."""
        label = label.flatten(1).long()
        counts = valid_pixels(label, self.ignore_index) & (label < self.num_classes)
        # What does not count is collected behind the last class and cut off.
        index = label.masked_fill(~counts, self.num_classes)
        present = like.new_zeros(len(label), self.num_classes + 1).scatter_(1, index, 1.0)
        return present[:, :-1]
