"""Head with a global context block."""
from collections.abc import Sequence

from torch import Tensor

from mmcv_replace.cnn import ContextBlock

from ..builder import HEADS
from .fcn_head import FCNHead


@HEADS.register_module()
class GCHead(FCNHead):
    """FCNHead with a global context block between its two convolutions (GCNet, arXiv:1904.11492).

    All pixels are summed to one vector, by attention ('att') or as their mean ('avg'), which a
    small network of `ratio` times the channels turns into what is added to each pixel
    ('channel_add') or multiplied with it ('channel_mul'); see `ContextBlock`.
    """

    def __init__(self, ratio: float = 1 / 4, pooling_type: str = 'att',
                 fusion_types: Sequence[str] = ('channel_add',), **kwargs: object) -> None:
        super().__init__(num_convs=2, **kwargs)
        self.ratio = ratio
        self.pooling_type = pooling_type
        self.fusion_types = fusion_types
        self.gc_block = ContextBlock(in_channels=self.channels, ratio=ratio,
                                     pooling_type=pooling_type, fusion_types=fusion_types)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        return self.classify(x, self.convs[1](self.gc_block(self.convs[0](x))))
