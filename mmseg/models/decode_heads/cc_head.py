"""Head with criss-cross attention."""
from collections.abc import Sequence

from torch import Tensor

from mmcv_replace.ops import CrissCrossAttention
from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from .fcn_head import FCNHead


@HEADS.register_module()
class CCHead(FCNHead):
    """FCNHead with criss-cross attention between its two convolutions (CCNet, arXiv:1811.11721).

    Each pixel attends to those of its row and its column. The same layer runs `recurrence` times;
    after two, each pixel has seen all.
    """

    def __init__(self, recurrence: int = 2, **kwargs: object) -> None:
        super().__init__(num_convs=2, **kwargs)
        if recurrence < 1:
            raise ConfigError(f'CCHead: recurrence={recurrence} must be 1 or more: it is how often '
                              'the attention runs')
        self.recurrence = recurrence
        self.cca = CrissCrossAttention(self.channels)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        features = self.convs[0](x)
        for _ in range(self.recurrence):
            features = self.cca(features)
        return self.classify(x, self.convs[1](features))
