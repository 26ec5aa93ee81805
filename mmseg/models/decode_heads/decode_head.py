"""What all decode heads share: inputs, layers and classifier; the losses are in head_losses.py."""
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import RELU
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import standard
from mmseg.core.seg import build_pixel_sampler
from mmseg.ops import THRESHOLD, resize
from mmseg.ops.resize_conv import fits_resize_conv, resize_conv

from ..utils import StartingModule
from ..utils.conv_blocks import is_plain_block
from .head_losses import HeadLosses

Integers = int | Sequence[int]
CROSS_ENTROPY = {'type': 'CrossEntropyLoss', 'use_sigmoid': False, 'loss_weight': 1.0}


class BaseDecodeHead(HeadLosses, StartingModule, metaclass=ABCMeta):
    """Base of the heads; a subclass defines `forward(inputs) -> logits [N, out_channels, h, w]`.

    There is one logit per class, or, with `num_classes=2, out_channels=1`, that of class 1 alone,
    which needs a sigmoid loss: a pixel is class 1 where its probability exceeds `threshold` (0.3).
    `num_classes=1` is the same.

    `in_index` chooses from the backbone's maps. Several indices need an `input_transform`:
    'resize_concat' (enlarged to the size of the first map and concatenated) or 'multiple_select'
    (a list of maps); `in_channels` then has as many entries.
    `loss_decode` is one loss, logged as loss_seg (or its `loss_name` in the config), or a list of
    losses, logged under their `loss_name`; losses of the same name are summed. `sampler` chooses
    the pixels that count. `ignore_index` (255) is the label that has no loss; by default it is the
    data set's. `strip_loss`: compute pixel losses in chunks of rows, with the same result, instead
    of holding logits at the size of the labels.

    A head that trains on more than labels names the keys of the batch in `extra_targets`;
    `forward_train` gets them as keyword arguments.
    """

    extra_targets: tuple[str, ...] = ()
    fp16_enabled = False  # user code for mmcv reads it; autocast decides

    def __init__(
        self,
        in_channels: Integers,
        channels: int,
        *,
        num_classes: int,
        out_channels: int | None = None,
        threshold: float | None = None,
        dropout_ratio: float = 0.1,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = RELU,
        in_index: Integers = -1,
        input_transform: str | None = None,
        loss_decode: dict | Sequence[dict] = CROSS_ENTROPY,
        ignore_index: int | None = None,
        sampler: dict | None = None,
        align_corners: bool = False,
        init_cfg: dict | Sequence[dict] | None = None,
        strip_loss: bool = True,
    ) -> None:
        super().__init__(init_cfg or dict(type='Normal', std=0.01,
                                          override=dict(name='conv_seg')))
        self._init_inputs(in_channels, in_index, input_transform)
        self._check_sizes(channels, num_classes, dropout_ratio)
        self.channels = channels
        self.num_classes = num_classes
        self.out_channels = num_classes if out_channels is None else out_channels
        self.threshold = self._resolve_threshold(threshold)
        self.dropout_ratio = dropout_ratio
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.act_cfg = act_cfg
        self.align_corners = bool(align_corners)  # torch refuses 0 and 1
        self.strip_loss = strip_loss
        self._init_losses(loss_decode, ignore_index)
        self.sampler = None if sampler is None else build_pixel_sampler(sampler, context=self)
        self._check_losses()
        self.conv_seg = nn.Conv2d(channels, self.out_channels, kernel_size=1)
        self.dropout = nn.Dropout2d(dropout_ratio) if dropout_ratio > 0 else None

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

    def _check_sizes(self, channels: int, num_classes: int, dropout_ratio: float) -> None:
        name = type(self).__name__
        for key, value in (('channels', channels), ('num_classes', num_classes),
                           *(('in_channels', value) for value in self._channels_of_maps)):
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f'{name}: {key}={value!r} must be a whole number from 1 on')
        # Configs of mmsegmentation 0.10 switch dropout off by -1.
        if not isinstance(dropout_ratio, int | float) or not (
                0 <= dropout_ratio <= 1 or dropout_ratio == -1):
            raise ConfigError(f'{name}: dropout_ratio={dropout_ratio!r} must be a number from 0 to '
                              '1, or -1, which is no dropout, like 0')

    def _resolve_threshold(self, threshold: float | None) -> float | None:
        """Threshold of the probability of class 1; None for several logits: the largest decides."""
        name, classes, out = type(self).__name__, self.num_classes, self.out_channels
        if out != classes and (classes, out) != (2, 1):
            raise ConfigError(f'{name}: out_channels={out} must be num_classes={classes}, or 1 '
                              'with num_classes=2')
        if out > 1:
            if threshold is not None:
                raise ConfigError(f'{name}: threshold={threshold} is for one logit; with {out} the '
                                  'largest decides: remove it, or set out_channels=1')
            return None
        if threshold is None:
            return THRESHOLD
        if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            raise ConfigError(f'{name}: threshold={threshold!r} must be a probability from 0 to 1')
        return threshold

    def extra_repr(self) -> str:
        return (f'input_transform={self.input_transform}, ignore_index={self.ignore_index}, '
                f'align_corners={self.align_corners}')

    @property
    def layer_cfg(self) -> dict[str, dict | None]:
        """The head's `conv_cfg`, `norm_cfg` and `act_cfg`, for parts made of several layers."""
        return dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)

    def conv_module(self, in_channels: int, out_channels: int, kernel_size: int,
                    dilation: int = 1, **options: object) -> ConvModule:
        """A ConvModule with the head's layer types, which keeps the size of its input.

        `options` are further arguments of ConvModule, and take precedence.
        """
        padding = kernel_size // 2 * dilation
        return ConvModule(in_channels, out_channels, kernel_size, dilation=dilation,
                          **dict(self.layer_cfg, padding=padding) | options)

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

    def _convolve_inputs(self, inputs: Sequence[Tensor], block: nn.Module) -> Tensor:
        """What `block` gives for `_transform_inputs`, by `resize_conv` for 'resize_concat'."""
        if (self.input_transform == 'resize_concat' and is_plain_block(block)
                and fits_resize_conv(block.conv)):
            return block.after_conv(
                resize_conv(self._select(inputs), block.conv, self.align_corners))
        return block(self._transform_inputs(inputs))

    @abstractmethod
    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits [N, out_channels, h, w] from the backbone's maps."""

    @standard
    def forward_train(self, inputs: Sequence[Tensor], img_metas: Sequence[dict],
                      gt_semantic_seg: Tensor, train_cfg: dict | None) -> dict[str, Tensor]:
        """Losses for labels [N, 1, H, W]; a head with `extra_targets` takes them after these."""
        return self.losses(self(inputs), gt_semantic_seg)

    @standard
    def forward_test(self, inputs: Sequence[Tensor], img_metas: Sequence[dict] | None,
                     test_cfg: dict | None) -> Tensor:
        """Logits for prediction."""
        return self(inputs)

    def cls_seg(self, feat: Tensor) -> Tensor:
        """Classify each pixel: [N, channels, h, w] -> [N, out_channels, h, w]."""
        if self.dropout is not None:
            feat = self.dropout(feat)
        return self.conv_seg(feat)
