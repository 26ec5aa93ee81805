"""Head with a disentangled non-local block."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.cnn import NonLocal2d
from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from .fcn_head import FCNHead

_TEMPERATURE = 0.05


class DisentangledNonLocal2d(NonLocal2d):
    """A non-local block whose weights have two parts: of pairs, and of single pixels.

    Those of pairs compare the difference of pixels from their mean (whitening). The others are a
    softmax over the pixels, the same for all of them. `temperature` divides the energies of
    'embedded_gaussian'. x: [N, in_channels, H, W] -> the same shape.
    """

    def __init__(self, in_channels: int, *, temperature: float, **kwargs: object) -> None:
        super().__init__(in_channels, **kwargs)
        self.temperature = temperature
        self.conv_mask = nn.Conv2d(in_channels, 1, kernel_size=1)

    def _scale(self, theta_x: Tensor) -> float:
        scale = super()._scale(theta_x)
        return scale / self.temperature if self.mode == 'embedded_gaussian' else scale

    def _compared(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(part - part.mean(2, keepdim=True) for part in super()._compared(x))

    def forward(self, x: Tensor) -> Tensor:
        g_x = self.g(x).flatten(2)
        alone = self.conv_mask(x).flatten(2).softmax(-1)
        single = alone @ g_x.transpose(1, 2)  # [N, 1, D]
        return self._add(x, self._gather(*self._compared(x), g_x) + single)


@HEADS.register_module()
class DNLHead(FCNHead):
    """FCNHead with a disentangled non-local block between its convolutions (arXiv:2006.06668).

    The options are those of `NLHead`; `temperature` divides the energies of 'embedded_gaussian'
    and, in the reference, does nothing in other modes, in which one is refused.
    """

    def __init__(self, reduction: int = 2, use_scale: bool = True, mode: str = 'embedded_gaussian',
                 temperature: float = _TEMPERATURE, fuse_attention: bool = True,
                 **kwargs: object) -> None:
        super().__init__(num_convs=2, **kwargs)
        if temperature <= 0:
            raise ConfigError(f'DNLHead: temperature={temperature} must be above 0')
        if temperature != _TEMPERATURE and mode != 'embedded_gaussian':
            raise ConfigError(f'DNLHead: temperature={temperature} does nothing with mode={mode!r}:'
                              " remove it, or set mode='embedded_gaussian'")
        self.reduction = reduction
        self.use_scale = use_scale
        self.mode = mode
        self.temperature = temperature
        self.fuse_attention = fuse_attention
        self.dnl_block = DisentangledNonLocal2d(
            in_channels=self.channels, reduction=reduction, use_scale=use_scale,
            conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, mode=mode,
            temperature=temperature, fuse_attention=fuse_attention)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        return self.classify(x, self.convs[1](self.dnl_block(self.convs[0](x))))
