"""Head with a non-local block."""
from collections.abc import Sequence

from torch import Tensor

from mmcv_replace.cnn import NonLocal2d

from ..builder import HEADS
from .fcn_head import FCNHead


@HEADS.register_module()
class NLHead(FCNHead):
    """FCNHead with a non-local block between its two convolutions (arXiv:1711.07971).

    Each pixel adds a mean of all pixels, weighted by `mode`; see `NonLocal2d`. `reduction` divides
    the channels of the block; `use_scale` divides the energies of 'embedded_gaussian' by the root
    of these. `fuse_attention`: hold no matrix of the weights of all pairs, with the same result
    ('concatenation' holds it all the same).
    """

    def __init__(self, reduction: int = 2, use_scale: bool = True, mode: str = 'embedded_gaussian',
                 fuse_attention: bool = True, **kwargs: object) -> None:
        super().__init__(num_convs=2, **kwargs)
        self.reduction = reduction
        self.use_scale = use_scale
        self.mode = mode
        self.fuse_attention = fuse_attention
        self.nl_block = NonLocal2d(
            in_channels=self.channels, reduction=reduction, use_scale=use_scale,
            conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, mode=mode,
            fuse_attention=fuse_attention)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        return self.classify(x, self.convs[1](self.nl_block(self.convs[0](x))))
