"""Head that sums the levels of a feature pyramid (Semantic FPN)."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import Upsample, resize

from ..builder import HEADS
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class FPNHead(BaseDecodeHead):
    """Each level convolved and doubled up to the size of the first; their sum (arXiv:1901.02446).

    `feature_strides`: the strides of the maps that `in_index` chooses, the largest map first; each
    is the first of them times a power of two, which is the number of doublings.
    """

    def __init__(self, feature_strides: Sequence[int], **kwargs: object) -> None:
        if kwargs.setdefault('input_transform', 'multiple_select') != 'multiple_select':
            raise ConfigError(f"FPNHead: input_transform={kwargs['input_transform']!r} must be "
                              "'multiple_select' or left out")
        super().__init__(**kwargs)
        self._check_strides(feature_strides)
        self.feature_strides = feature_strides
        self.scale_heads = nn.ModuleList(
            self._scale_head(width, (stride // feature_strides[0]).bit_length() - 1)
            for width, stride in zip(self.in_channels, feature_strides, strict=True))

    def _check_strides(self, strides: Sequence[int]) -> None:
        if len(strides) != len(self.in_channels):
            raise ConfigError(f'FPNHead: feature_strides={strides} must be as many as '
                              f'in_channels={self.in_channels}')
        first = strides[0]
        powers = [first * 2 ** i for i in range(32)] if first >= 1 else []
        if not all(stride in powers for stride in strides):
            raise ConfigError(f'FPNHead: feature_strides={strides} must be the first of them '
                              'times 1, 2, 4, ..., such as (4, 8, 16, 32)')

    def _scale_head(self, in_channels: int, doublings: int) -> nn.Sequential:
        """[N, in_channels, h, w] -> [N, channels, h * 2 ** doublings, w * 2 ** doublings]."""
        layers: list[nn.Module] = []
        for i in range(max(1, doublings)):
            layers.append(self.conv_module(self.channels if i else in_channels, self.channels, 3))
            if doublings:
                layers.append(Upsample(scale_factor=2, mode='bilinear',
                                       align_corners=self.align_corners))
        return nn.Sequential(*layers)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        maps = self._transform_inputs(inputs)
        total = self.scale_heads[0](maps[0])
        for head, x in zip(self.scale_heads[1:], maps[1:], strict=True):
            # Odd sizes of the backbone's maps do not double exactly.
            total = total + resize(head(x), total.shape[2:], mode='bilinear',
                                   align_corners=self.align_corners)
        return self.cls_seg(total)
