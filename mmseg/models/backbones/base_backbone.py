"""What backbones share: outputs, frozen stages, batch norms in evaluation, foreign weights."""
from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcv_replace.runner import BaseModule
from mmcv_replace.utils.errors import ConfigError

from .foreign_weights import KeyRules, adapt_weights


class BaseBackbone(BaseModule):
    """Network from images [N, in_channels, H, W] to a tuple of feature maps.

    Map i has the shape [N, out_channels[i], ceil(H / out_strides[i]), ceil(W / out_strides[i])].
    A subclass sets both tuples, defines `parts` and `forward`, and ends its constructor with
    `self._freeze_stages()`.

    `frozen_stages`: the parts 0 (the stem) to this number are not trained, and their batch norms
    keep their running statistics; -1 freezes nothing. `norm_eval`: all batch norms keep theirs.
    `pretrained` is the short form of init_cfg=dict(type='Pretrained', checkpoint=...). Raises
    ConfigError when both are given.
    """

    default_init: dict | Sequence[dict] = (
        {'type': 'Kaiming', 'layer': 'Conv2d'},
        {'type': 'Constant', 'val': 1, 'layer': ['_BatchNorm', 'GroupNorm']},
    )
    # How the keys of other toolkits become ours, see `foreign_weights.adapt_weights`.
    foreign_keys: Mapping[str, KeyRules] = {}

    out_channels: tuple[int, ...]
    out_strides: tuple[int, ...]

    def __init__(self, in_channels: int = 3, frozen_stages: int = -1, norm_eval: bool = False,
                 pretrained: str | None = None,
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        if pretrained is not None:
            if init_cfg is not None:
                raise ConfigError(f'{type(self).__name__}: pretrained={pretrained!r} and '
                                  f'init_cfg={init_cfg} both say how to start; keep one of them')
            init_cfg = dict(type='Pretrained', checkpoint=pretrained)
        super().__init__(init_cfg or self.default_init)
        self.in_channels = in_channels
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval

    def parts(self) -> list[list[nn.Module]]:
        """The layers in the groups that `frozen_stages` counts: the stem, then stage by stage."""
        raise NotImplementedError

    def _freeze_stages(self) -> None:
        """Fix the parameters and the running statistics of the frozen parts."""
        if self.frozen_stages == -1:
            return
        parts = self.parts()
        if not 0 <= self.frozen_stages < len(parts):
            raise ConfigError(f'{type(self).__name__}: frozen_stages={self.frozen_stages} must be '
                              f'-1 (none) to {len(parts) - 1}')
        for part in parts[:self.frozen_stages + 1]:
            for module in part:
                module.eval()
                module.requires_grad_(False)

    def train(self, mode: bool = True) -> 'BaseBackbone':
        """Set training mode, except for the frozen parts and, with `norm_eval`, the batch norms."""
        super().train(mode)
        self._freeze_stages()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def adapt_state_dict(self, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
        """Accept weights of whole models, of other toolkits, and for other input channels."""
        first = next((name for name, value in self.named_parameters() if value.dim() == 4), None)
        return adapt_weights(state_dict, self.foreign_keys, first, self.in_channels)

    def _check_images(self, x: Tensor) -> None:
        if x.size(1) != self.in_channels:
            raise ConfigError(f'{type(self).__name__}: in_channels={self.in_channels}, but the '
                              f'images have {x.size(1)} channels')
