"""Which maps of the backbone a head works on."""
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

Integers = int | Sequence[int]


class InputSelection:
    """The part of BaseDecodeHead that selects its input from the maps of the backbone."""

    align_corners: bool

    def _init_inputs(self, in_channels: Integers, in_index: Integers,
                     input_transform: str | None) -> None:
        """Set the attributes of these names; `in_channels` becomes a sum for 'resize_concat'.

        Raises ConfigError where they do not fit together.
        """
        name = type(self).__name__
        if input_transform not in (None, 'resize_concat', 'multiple_select'):
            raise ConfigError(f'{name}: input_transform={input_transform!r} is not known: use '
                              "'resize_concat', 'multiple_select' or None")
        if input_transform is None:
            if not (isinstance(in_channels, int) and isinstance(in_index, int)):
                raise ConfigError(
                    f'{name}: in_channels={in_channels} and in_index={in_index} must be single '
                    "numbers; for several maps set input_transform='resize_concat' or "
                    "'multiple_select'")
        elif isinstance(in_channels, int) or isinstance(in_index, int) or (
                len(in_channels) != len(in_index)):
            raise ConfigError(f'{name}: with input_transform={input_transform!r}, in_channels='
                              f'{in_channels} and in_index={in_index} must be lists of the same '
                              'length')
        self.input_transform = input_transform
        self.in_index = in_index
        self.in_channels = sum(in_channels) if input_transform == 'resize_concat' else in_channels
        self._channels_of_maps = [in_channels] if input_transform is None else list(in_channels)

    def _select(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The maps of the backbone that `in_index` names; ConfigError where they do not fit."""
        indices = [self.in_index] if self.input_transform is None else self.in_index
        if not all(-len(inputs) <= index < len(inputs) for index in indices):
            raise ConfigError(f'{type(self).__name__}: in_index={self.in_index}, but the backbone '
                              f'gives {len(inputs)} maps, counted from 0')
        chosen = [inputs[index] for index in indices]
        found = [x.size(1) for x in chosen]
        if found != self._channels_of_maps:
            raise ConfigError(f'{type(self).__name__}: in_channels={self._channels_of_maps}, but '
                              f'the maps in_index={self.in_index} of the backbone have {found} '
                              'channels')
        return chosen

    def _transform_inputs(self, inputs: Sequence[Tensor]) -> Tensor | list[Tensor]:
        """Input of the head [N, in_channels, h, w], or a list of maps for 'multiple_select'.

        `inputs`: all maps of the backbone. Raises ConfigError where `in_index` or `in_channels`
        does not fit them.
        """
        chosen = self._select(inputs)
        if self.input_transform is None:
            return chosen[0]
        if self.input_transform == 'multiple_select':
            return chosen
        size = chosen[0].shape[2:]
        return torch.cat([resize(x, size, mode='bilinear', align_corners=self.align_corners)
                          for x in chosen], dim=1)
