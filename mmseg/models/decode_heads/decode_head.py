"""What all decode heads have in common: inputs, classifier and loss."""
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from mmcv_replace.cnn.bricks.layer_cfg import RELU
from mmcv_replace.runner import BaseModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.seg import build_pixel_sampler
from mmseg.ops import THRESHOLD, resize, warn_unaligned

from ..builder import build_loss
from ..losses import accuracy
from ..losses.chunked_loss import losses_in_strips

IGNORED = 255  # unless something else is said
CROSS_ENTROPY = {'type': 'CrossEntropyLoss', 'use_sigmoid': False, 'loss_weight': 1.0}


class BaseDecodeHead(BaseModule, metaclass=ABCMeta):
    """Base of the heads; a subclass defines `forward(inputs) -> logits [N, out_channels, h, w]`.

    There is one logit a class, or, with `num_classes=2, out_channels=1`, that of class 1 alone,
    which needs a sigmoid loss: a pixel is class 1 where its probability exceeds `threshold` (0.3).
    `num_classes=1` is the same.

    `in_index` chooses from the backbone's maps. With several indices, `input_transform` says
    what becomes of them: 'resize_concat' (enlarged to the first one's size and concatenated) or
    'multiple_select' (handed on as a list); `in_channels` then has as many entries.
    `loss_decode` is one loss, logged as loss_seg (or its `loss_name` in the config), or a list of
    losses, logged under their `loss_name`, those of one name summed. `sampler` chooses the pixels
    that count. `ignore_index` (255) is the label that has no loss; where it is not given, a
    training follows its data set. `strip_loss`: compute losses that are sums over pixels in strips
    of rows, with the same result, instead of holding logits at the size of the labels.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int,
        *,
        num_classes: int,
        out_channels: int | None = None,
        threshold: float | None = None,
        dropout_ratio: float = 0.1,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = RELU,
        in_index: int | Sequence[int] = -1,
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
        self.threshold = self._check_threshold(threshold)
        self.dropout_ratio = dropout_ratio
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.act_cfg = act_cfg
        self.ignore_index = IGNORED if ignore_index is None else ignore_index
        self.tells_ignore_index = ignore_index is not None
        self.align_corners = bool(align_corners)  # torch takes no 0 and 1
        self.strip_loss = strip_loss
        several = [loss_decode] if isinstance(loss_decode, dict) else loss_decode
        self._losses_told = ['ignore_index' in cfg for cfg in several]
        if isinstance(loss_decode, dict):
            self.loss_decode = build_loss(loss_decode)
            self._loss_names = [loss_decode.get('loss_name', 'loss_seg')]
        else:
            self.loss_decode = nn.ModuleList(build_loss(cfg) for cfg in loss_decode)
            self._loss_names = [getattr(loss, 'loss_name', 'loss_seg')
                                for loss in self.loss_decode]
        self._followed = IGNORED
        self._check_losses()
        self.sampler = None if sampler is None else build_pixel_sampler(sampler, context=self)
        self.conv_seg = nn.Conv2d(channels, self.out_channels, kernel_size=1)
        self.dropout = nn.Dropout2d(dropout_ratio) if dropout_ratio > 0 else None

    def extra_repr(self) -> str:
        return (f'input_transform={self.input_transform}, ignore_index={self.ignore_index}, '
                f'align_corners={self.align_corners}')

    def _init_inputs(self, in_channels: int | Sequence[int], in_index: int | Sequence[int],
                     input_transform: str | None) -> None:
        """Check that the three fit together, and set them; `in_channels` is a sum for a concat."""
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
        if not isinstance(dropout_ratio, int | float) or not 0 <= dropout_ratio <= 1:
            raise ConfigError(f'{name}: dropout_ratio={dropout_ratio!r} must be a number from 0 to '
                              '1')

    def _check_threshold(self, threshold: float | None) -> float | None:
        """The threshold in use, None for several logits; ConfigError where something cannot be."""
        name = type(self).__name__
        if self.out_channels != self.num_classes and not (
                self.num_classes == 2 and self.out_channels == 1):
            raise ConfigError(f'{name}: out_channels={self.out_channels} must be num_classes='
                              f'{self.num_classes}, or 1 with num_classes=2')
        if self.out_channels > 1:
            if threshold is not None:
                raise ConfigError(f'{name}: threshold={threshold} is for one logit; with '
                                  f'{self.out_channels} the largest decides: remove it, or set '
                                  'out_channels=1')
            return None
        if threshold is None:
            return THRESHOLD
        if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            raise ConfigError(f'{name}: threshold={threshold!r} must be a probability from 0 to 1')
        return threshold

    def _check_losses(self) -> None:
        """ConfigError for a softmax over one logit, which is 1 whatever the head says."""
        softmax = [type(loss).__name__ for loss in self._criteria()
                   if getattr(loss, 'use_sigmoid', None) is False
                   and not getattr(loss, 'use_mask', False)]
        if self.out_channels == 1 and softmax:
            raise ConfigError(
                f'{type(self).__name__}: num_classes={self.num_classes} gives one logit, of which '
                f'the softmax of {softmax[0]} learns nothing: its loss is 0. For two classes use '
                '(1) two logits, num_classes=2 without out_channels, or (2) that of class 1, '
                "num_classes=2, out_channels=1, loss_decode=dict(type='CrossEntropyLoss', "
                'use_sigmoid=True)')

    def _criteria(self) -> list[nn.Module]:
        several = isinstance(self.loss_decode, nn.ModuleList)
        return list(self.loss_decode) if several else [self.loss_decode]

    def follow_ignore_index(self, ignore_index: int) -> None:
        """Ignore that label, where nothing else was said, in losses with such a setting too.

        A loss with another value than 255 of its own accord keeps it.
        """
        if not self.tells_ignore_index:
            self.ignore_index = ignore_index
        for loss, told in zip(self._criteria(), self._losses_told, strict=True):
            if not told and getattr(loss, 'ignore_index', None) == self._followed:
                loss.ignore_index = ignore_index
        self._followed = ignore_index

    def told_losses(self) -> list[tuple[str, int]]:
        """Place in this head and `ignore_index` of the losses that were given one."""
        several = isinstance(self.loss_decode, nn.ModuleList)
        return [(f'loss_decode.{number}' if several else 'loss_decode', loss.ignore_index)
                for number, (loss, told) in enumerate(zip(self._criteria(), self._losses_told,
                                                          strict=True))
                if told and isinstance(getattr(loss, 'ignore_index', None), int)]

    def _select(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The maps of the backbone that `in_index` names; ConfigError where they do not fit."""
        single = self.input_transform is None
        indices = [self.in_index] if single else self.in_index
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
        """The map, or maps, that this head works on, out of those of the backbone."""
        chosen = self._select(inputs)
        if self.input_transform is None:
            return chosen[0]
        if self.input_transform == 'multiple_select':
            return chosen
        size = chosen[0].shape[2:]
        return torch.cat([resize(x, size, mode='bilinear', align_corners=self.align_corners)
                          for x in chosen], dim=1)

    @abstractmethod
    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits [N, out_channels, h, w] from the backbone's maps."""

    def forward_train(
        self,
        inputs: Sequence[Tensor],
        img_metas: Sequence[dict],
        gt_semantic_seg: Tensor,
        train_cfg: dict | None,
    ) -> dict[str, Tensor]:
        """Losses for labels [N, 1, H, W]."""
        return self.losses(self(inputs), gt_semantic_seg)

    def forward_test(self, inputs: Sequence[Tensor], img_metas: Sequence[dict] | None,
                     test_cfg: dict | None) -> Tensor:
        """Logits for prediction."""
        return self(inputs)

    def cls_seg(self, feat: Tensor) -> Tensor:
        """Classify each pixel: [N, channels, h, w] -> [N, out_channels, h, w]."""
        if self.dropout is not None:
            feat = self.dropout(feat)
        return self.conv_seg(feat)

    def losses(self, seg_logit: Tensor, seg_label: Tensor) -> dict[str, Tensor]:
        """Losses and accuracy of logits [N, C, h, w] at the size of the labels [N, 1, H, W]."""
        if seg_logit.dtype.itemsize < 4:
            seg_logit = seg_logit.float()
        criteria = self._criteria()
        if self.strip_loss and self.sampler is None and all(
                getattr(criterion, 'is_pixelwise', False) for criterion in criteria):
            values, percent = self._in_strips(criteria, seg_logit, seg_label.squeeze(1))
        else:
            values, percent = self._at_full_size(criteria, seg_logit, seg_label)
        losses: dict[str, Tensor] = {}
        for name, value in zip(self._loss_names, values, strict=True):
            losses[name] = losses[name] + value if name in losses else value
        losses['acc_seg'] = percent
        return losses

    def _at_full_size(self, criteria: Sequence[nn.Module], logits: Tensor,
                      label: Tensor) -> tuple[list[Tensor], Tensor]:
        logits = resize(logits, label.shape[2:], mode='bilinear', align_corners=self.align_corners)
        weight = None if self.sampler is None else self.sampler.sample(logits, label)
        label = label.squeeze(1).long()
        values = [criterion(logits, label, weight=weight, ignore_index=self.ignore_index)
                  for criterion in criteria]
        return values, accuracy(logits, label, thresh=self.threshold)

    def _in_strips(self, criteria: Sequence[nn.Module], logits: Tensor,
                   label: Tensor) -> tuple[list[Tensor], Tensor]:
        if self.align_corners:
            warn_unaligned(tuple(logits.shape[2:]), tuple(label.shape[1:]))
        shares = [partial(criterion, ignore_index=self.ignore_index, avg_factor=criterion.divisor(
            label, logits.shape[1], self.ignore_index)) for criterion in criteria]
        values, (percent,) = losses_in_strips(
            logits, label, self.align_corners, shares,
            [lambda part, own: accuracy(part, own, thresh=self.threshold)
             * (own.numel() / label.numel())])
        return values, percent
