"""Feature pyramid network."""
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import NECKS
from ..utils import StartingModule

NEAREST = {'mode': 'nearest'}
SOURCES = ('on_input', 'on_lateral', 'on_output')


@NECKS.register_module()
class FPN(StartingModule):
    """Maps of a backbone, each with those below it enlarged and added (FPN, arXiv:1612.03144).

    `start_level`, `end_level`: the maps that are used, from the first on up to that before the
    second, -1 for all. Where `num_outs` is larger than their number, smaller maps follow: every
    second pixel of the last result, or, with `add_extra_convs`, convolutions of stride 2. The first
    of these convolutions gets the backbone's last map ('on_input'), that map with its channels
    reduced ('on_lateral') or the last result ('on_output', True; with `extra_convs_on_inputs`,
    True is 'on_input'), each further one gets the result before it, with
    `relu_before_extra_convs` behind a ReLU. `no_norm_on_lateral`: `norm_cfg` is for the 3 x 3
    convolutions alone. `upsample_cfg`: arguments of `resize`; without `scale_factor` a map is
    enlarged to the size of that above it.

    inputs: [N, in_channels[i], h_i, w_i] -> `num_outs` maps [N, out_channels, h_i, w_i].
    """

    def __init__(
        self, in_channels: Sequence[int], out_channels: int, num_outs: int, start_level: int = 0,
        end_level: int = -1, add_extra_convs: bool | str = False,
        extra_convs_on_inputs: bool = False, relu_before_extra_convs: bool = False,
        no_norm_on_lateral: bool = False, conv_cfg: dict | None = None,
        norm_cfg: dict | None = None, act_cfg: dict | None = None,
        upsample_cfg: dict = NEAREST, init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='Xavier', layer='Conv2d', distribution='uniform'))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_outs = num_outs
        self.start_level = start_level
        self.end_level = end_level
        self.backbone_end_level = len(in_channels) if end_level == -1 else end_level
        self.relu_before_extra_convs = relu_before_extra_convs
        self.upsample_cfg = dict(upsample_cfg)
        self._check_levels()
        self.add_extra_convs = self._source(add_extra_convs, extra_convs_on_inputs)
        used = in_channels[start_level:self.backbone_end_level]
        block = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg, inplace=False)
        lateral = block | (dict(norm_cfg=None) if no_norm_on_lateral else {})
        self.lateral_convs = nn.ModuleList(
            ConvModule(width, out_channels, 1, **lateral) for width in used)
        self.fpn_convs = nn.ModuleList(
            ConvModule(out_channels, out_channels, 3, padding=1, **block) for _ in used)
        if self.add_extra_convs:
            first = used[-1] if self.add_extra_convs == 'on_input' else out_channels
            self.fpn_convs.extend(
                ConvModule(out_channels if i else first, out_channels, 3, stride=2, padding=1,
                           **block) for i in range(num_outs - len(used)))

    def _check_levels(self) -> None:
        start, end, number = self.start_level, self.backbone_end_level, len(self.in_channels)
        if not 0 <= start < end <= number:
            raise ConfigError(f'FPN: start_level={start} and end_level={self.end_level} must choose'
                              f' one or more of the {number} maps of in_channels, counted from 0; '
                              'the second is the one after the last, or -1 for all')
        if self.num_outs < end - start or (self.end_level != -1 and self.num_outs > end - start):
            raise ConfigError(
                f'FPN: num_outs={self.num_outs} must be {end - start}, the number of maps from '
                f'start_level={start} to end_level={self.end_level}' +
                (', or more' if self.end_level == -1 else '; smaller maps need end_level=-1'))

    def _source(self, add: bool | str, on_inputs: bool) -> str | None:
        """Where the first further convolution reads: one of SOURCES, or None without any."""
        if isinstance(add, str) and add not in SOURCES:
            raise ConfigError(f'FPN: add_extra_convs={add!r} must be one of {SOURCES}, or True or '
                              'False')
        if on_inputs and add is not True:
            raise ConfigError('FPN: extra_convs_on_inputs=True says what add_extra_convs=True '
                              f'means, but that is {add!r}: set it to True, or remove the first')
        if self.relu_before_extra_convs and not add:
            raise ConfigError('FPN: relu_before_extra_convs=True needs further convolutions: set '
                              'add_extra_convs, or remove it')
        if isinstance(add, str) or not add:
            return add or None
        return 'on_input' if on_inputs else 'on_output'

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        found = [x.size(1) for x in inputs]
        if found != list(self.in_channels):
            raise ConfigError(f'FPN: in_channels={list(self.in_channels)}, but the maps of the '
                              f'backbone have {found} channels')
        used = inputs[self.start_level:self.backbone_end_level]
        sums = [lateral(x) for lateral, x in zip(self.lateral_convs, used, strict=True)]
        for i in reversed(range(1, len(sums))):
            sums[i - 1] = sums[i - 1] + self._enlarge(sums[i], sums[i - 1])
        outs = [conv(x) for conv, x in zip(self.fpn_convs, sums, strict=False)]
        first = dict(on_input=used[-1], on_lateral=sums[-1]).get(self.add_extra_convs, outs[-1])
        for i in range(len(outs), self.num_outs):
            if not self.add_extra_convs:
                outs.append(outs[-1][:, :, ::2, ::2])
            elif i == len(used):
                outs.append(self.fpn_convs[i](first))
            else:
                last = F.relu(outs[-1]) if self.relu_before_extra_convs else outs[-1]
                outs.append(self.fpn_convs[i](last))
        return tuple(outs)

    def _enlarge(self, small: Tensor, like: Tensor) -> Tensor:
        size = None if 'scale_factor' in self.upsample_cfg else like.shape[2:]
        return resize(small, size, **self.upsample_cfg)
