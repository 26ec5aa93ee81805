"""The losses of a head: built from configs, computed at the size of the labels, and named."""
from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.seg import BasePixelSampler
from mmseg.ops import resize, warn_unaligned

from ..builder import build_loss
from ..losses import WholeImageLoss, accuracy
from ..losses.chunked_loss import chunked_losses

IGNORED = 255  # the default of mmsegmentation


class HeadLosses:
    """The part of BaseDecodeHead that is about losses and the label that has none."""

    align_corners: bool
    num_classes: int
    out_channels: int
    threshold: float | None
    sampler: BasePixelSampler | None
    strip_loss: bool

    def _init_losses(self, loss_decode: dict | Sequence[dict], ignore_index: int | None) -> None:
        if isinstance(loss_decode, dict):
            self.loss_decode = build_loss(loss_decode)
            self._loss_names = [loss_decode.get('loss_name', 'loss_seg')]
            loss_decode = [loss_decode]
        else:
            if not loss_decode:
                raise ConfigError(f'{type(self).__name__}: loss_decode={loss_decode!r} is no loss, '
                                  'so that the head would not be trained: give a dict such as '
                                  "dict(type='CrossEntropyLoss'), or a list of them")
            self.loss_decode = nn.ModuleList(build_loss(cfg) for cfg in loss_decode)
            self._loss_names = [getattr(loss, 'loss_name', 'loss_seg')
                                for loss in self.loss_decode]
        self._followed = IGNORED
        self.ignore_index = IGNORED if ignore_index is None else ignore_index
        self._keeps_ignore_index = [ignore_index is not None,
                                    *('ignore_index' in cfg for cfg in loss_decode)]

    def _criteria(self) -> list[nn.Module]:
        several = isinstance(self.loss_decode, nn.ModuleList)
        return list(self.loss_decode) if several else [self.loss_decode]

    def _check_losses(self) -> None:
        """Raise ConfigError for losses that do not fit the logits; warn of those not trained."""
        if self.out_channels == 1:
            self._check_no_softmax()
        for name, loss in zip(self._loss_names, self._criteria(), strict=True):
            if hasattr(loss, 'check_classes'):
                loss.check_classes(self.out_channels)
            if self.sampler is not None and isinstance(loss, WholeImageLoss):
                raise loss.no_weights()
            if 'loss' not in name:
                warn_once(f"{type(self).__name__}: the {type(loss).__name__} called {name!r} is "
                          "logged, but not trained, as its name does not contain 'loss': to train "
                          f"it, set loss_name='loss_{name}'")

    def _check_no_softmax(self) -> None:
        """Raise ConfigError for a softmax loss of a single logit: its probability is always 1."""
        for loss in self._criteria():
            if getattr(loss, 'use_sigmoid', None) is False and not getattr(loss, 'use_mask', False):
                raise ConfigError(
                    f'{type(self).__name__}: num_classes={self.num_classes} gives one logit, of '
                    f'which the softmax of {type(loss).__name__} learns nothing: its loss is 0. '
                    'For two classes use (1) two logits, num_classes=2 without out_channels, or '
                    '(2) that of class 1, num_classes=2, out_channels=1, '
                    "loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)")

    def follow_ignore_index(self, ignore_index: int) -> None:
        """Ignore that label in the head and in its losses where none was configured.

        A loss whose class has another default than 255, or no `ignore_index`, is left alone.
        """
        for part, keeps in zip([self, *self._criteria()], self._keeps_ignore_index, strict=True):
            if not keeps and getattr(part, 'ignore_index', None) == self._followed:
                part.ignore_index = ignore_index
        self._followed = ignore_index

    def ignored_labels(self) -> dict[str, int]:
        """The head's `ignore_index`, by '', and those configured in losses, by '.loss_decode'."""
        labels = {'': self.ignore_index}
        for i, loss in enumerate(self._criteria()):
            own = getattr(loss, 'ignore_index', None)
            if self._keeps_ignore_index[i + 1] and isinstance(own, int):
                several = isinstance(self.loss_decode, nn.ModuleList)
                labels[f'.loss_decode.{i}' if several else '.loss_decode'] = own
        return labels

    def losses(self, seg_logit: Tensor, seg_label: Tensor) -> dict[str, Tensor]:
        """Losses and accuracy of logits [N, C, h, w] at the size of the labels [N, 1, H, W]."""
        if seg_logit.dtype.itemsize < 4:
            seg_logit = seg_logit.float()
        in_chunks = self.strip_loss and self.sampler is None and all(
            getattr(loss, 'is_chunkable', False) for loss in self._criteria())
        # Chunks give gradients to the logits alone, none to parameters of a loss.
        in_chunks = in_chunks and next(self.loss_decode.parameters(), None) is None
        compute = self._in_chunks if in_chunks else self._at_full_size
        values, percent = compute(seg_logit, seg_label)
        losses: dict[str, Tensor] = {}
        for name, value in zip(self._loss_names, values, strict=True):
            losses[name] = losses[name] + value if name in losses else value
        losses['acc_seg'] = percent
        return losses

    def prediction_losses(self, seg_logit: Tensor, seg_label: Tensor) -> dict[str, Tensor]:
        """Losses of predicted logits [N, C, h, w] for labels [N, 1, H, W], in an evaluation.

        Those of the logits alone. A head that is trained otherwise overrides it.
        """
        return self.losses(seg_logit, seg_label)

    def _at_full_size(self, logits: Tensor, label: Tensor) -> tuple[list[Tensor], Tensor]:
        logits = resize(logits, label.shape[2:], mode='bilinear', align_corners=self.align_corners)
        weight = None if self.sampler is None else self.sampler.sample(logits, label)
        label = label.squeeze(1).long()
        values = [loss(logits, label, weight=weight, ignore_index=self.ignore_index)
                  for loss in self._criteria()]
        return values, accuracy(logits, label, thresh=self.threshold)

    def _in_chunks(self, logits: Tensor, label: Tensor) -> tuple[list[Tensor], Tensor]:
        label = label.squeeze(1)
        if self.align_corners:
            warn_unaligned(tuple(logits.shape[2:]), tuple(label.shape[1:]))
        pixels, shares = label.numel(), []
        for loss in self._criteria():
            count = loss.divisor(label, self.ignore_index)
            shares.append(partial(loss.chunk, ignore_index=self.ignore_index,
                                  divisor=pixels if count is None else count))
        return chunked_losses(
            logits, label, self.align_corners, shares,
            lambda part, own: accuracy(part, own, thresh=self.threshold) * (own.numel() / pixels))
