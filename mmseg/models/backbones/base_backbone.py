"""What backbones share: outputs, frozen stages, batch norms in evaluation, foreign weights."""
import logging
import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcv_replace.utils.errors import ConfigError

from ..utils import StartingModule

CLASSIFIER = re.compile(r'(fc|head|classifier)\.')  # keys of the last layers of a classifier


class BaseBackbone(StartingModule):
    """Network from images [N, in_channels, H, W] to a tuple of feature maps.

    Map i has the shape [N, out_channels[i], ceil(H / out_strides[i]), ceil(W / out_strides[i])].
    A first convolution without padding leaves out `out_margin` pixels of H and of W before that.
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
    # Key that only files of another toolkit have -> how to rename the keys of such files:
    # {'conv1.0.weight': [(r'^conv1\.', 'stem.')]} renames the stem where conv1.0.weight exists.
    foreign_keys: Mapping[str, Sequence[tuple[str, str]]] = {}

    # Why a model with this backbone is faster on the host, in float32, with channels_last tensors.
    host_channels_last: str | None = None

    out_channels: tuple[int, ...]
    out_strides: tuple[int, ...]
    out_margin = 0

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
        raise NotImplementedError(f'{type(self).__name__} does not define parts()')

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
        """The weights that belong to the backbone, by its keys and for its `in_channels`.

        Accepts a whole segmentor, of which the part `backbone.` is taken, a classifier, whose last
        layers are dropped, and the files of other toolkits that `foreign_keys` describes.
        """
        if any(key.startswith('backbone.') for key in state_dict):
            state_dict = {key.removeprefix('backbone.'): value for key, value in state_dict.items()
                          if key.startswith('backbone.')}
        weights = dict(state_dict)
        for mark, replacements in self.foreign_keys.items():
            if mark in weights:
                for pattern, replacement in replacements:
                    weights = {re.sub(pattern, replacement, key): value
                               for key, value in weights.items()}
        weights = {key: value for key, value in weights.items() if not CLASSIFIER.match(key)}
        return self.fit_input_channels(weights)

    def fit_input_channels(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights by the keys of the backbone, those for RGB changed to ones for `in_channels`.

        One channel gets the sum over RGB, so that an image of three equal channels gives the same
        output. More channels repeat R, G, B and are scaled by 3 / in_channels, so that the output
        keeps its size; timm does the same. A log line says so.
        """
        fitted = dict(weights)
        first = next((name for name, value in self.named_parameters() if value.dim() == 4), None)
        weight = fitted.get(first)
        if self.in_channels != 3 and getattr(weight, 'ndim', 0) == 4 and weight.size(1) == 3:
            fitted[first] = fit_colours(weight, self.in_channels)
            self._tell_fitted(first)
        return fitted

    def _tell_fitted(self, name: str) -> None:
        how = ('R, G and B added' if self.in_channels == 1 else
               f'R, G, B repeated, scaled by 3/{self.in_channels}')
        logging.getLogger('mmseg.models').info(
            '%s: the weights of the first convolution (%s) for 3 channels fitted to %d: %s',
            type(self).__name__, name, self.in_channels, how)

    def _check_images(self, x: Tensor) -> None:
        if x.size(1) != self.in_channels:
            raise ConfigError(f'{type(self).__name__}: in_channels={self.in_channels}, but the '
                              f'images have {x.size(1)} channels')


def fit_colours(weight: Tensor, channels: int) -> Tensor:
    """Weights [C, 3, h, w] of a convolution of RGB, for images of another number of channels."""
    if channels == 1:
        return weight.sum(1, keepdim=True)
    return repeat_colours(weight, channels, 1) * (3 / channels)


def repeat_colours(values: Tensor, channels: int, dim: int) -> Tensor:
    """R, G, B, R, ... of the three entries along `dim`, as many as there are channels."""
    return values.index_select(dim, torch.arange(channels, device=values.device) % 3)
