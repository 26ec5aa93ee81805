"""A segmentor of backbone, optional neck, decode head and auxiliary heads."""
import math
import os
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.runner import BaseModule, ModuleList
from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core import OnLogits, ScoreKind, add_prefix, is_own, standard
from mmseg.ops import class_probabilities, resize

from ..builder import SEGMENTORS, build_backbone, build_head, build_neck
from ..decode_heads import BaseCascadeDecodeHead
from ..utils import WrittenWeights, starting_from
from .find_heads import check_targets_are_used, select_targets
from .postprocess import parts_of_equal_size, to_original, unflip
from .prediction_losses import PredictionLosses
from .seg_map import Result, SegMapBuilder, predicted_classes, scores_of
from .slide import WindowSource, slide_logits, slide_strips, sliding

# Pixels of windows per forward pass, unless `batch_windows` is given: four windows of 512 x 512.
PIXELS_AT_ONCE = 2**20
MAX_LOGITS_MB = 256


@SEGMENTORS.register_module()
class EncoderDecoder(PredictionLosses):
    """The usual segmentor; auxiliary heads are used in training only.

    `simple_test` and `aug_test` use the `inference` of a subclass that has its own.

    test_cfg: mode 'whole' (the default), or 'slide' with `crop_size` and `stride` (height, width)
        of the windows and `batch_windows`, their number per forward pass (by default as many as
        have 2**20 pixels). Logits that take more than `max_logits_mb` megabytes per image (256;
        None for no limit) are reduced to classes strip by strip.
    pretrained: file with the backbone's weights, which `init_weights` loads.
    """

    def __init__(
        self, backbone: dict, decode_head: dict | Sequence[dict], neck: dict | None = None,
        auxiliary_head: dict | Sequence[dict] | None = None, train_cfg: dict | None = None,
        test_cfg: dict | None = None, pretrained: str | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.train_cfg = train_cfg
        self.test_cfg = ConfigDict(test_cfg or dict(mode='whole'))
        sliding(self.test_cfg)
        self.backbone = build_backbone(backbone)
        self.pretrained = pretrained
        if pretrained is not None:
            self._check_pretrained(backbone)
        if neck is not None:
            self.neck = build_neck(neck)
        self._init_decode_head(decode_head)
        self._init_auxiliary_head(auxiliary_head)
        self._built = WrittenWeights(self)

    def _check_pretrained(self, backbone: dict) -> None:
        own = backbone.get('pretrained') or backbone.get('init_cfg')
        if own:
            raise ConfigError(f'model.pretrained={self.pretrained!r} and the {own!r} of '
                              'model.backbone both say how the backbone starts; keep one of them')
        if isinstance(self.backbone, BaseModule):
            self.backbone.init_cfg = dict(type='Pretrained', checkpoint=self.pretrained)

    def _init_decode_head(self, decode_head: dict | Sequence[dict]) -> None:
        if isinstance(decode_head, list | tuple):
            raise ConfigError(f'{type(self).__name__}: decode_head is a list of '
                              f'{len(decode_head)} heads, but one head predicts here: give one, or '
                              'use CascadeEncoderDecoder for heads that refine each other')
        self.decode_head = self._build_head(decode_head)
        self._take_output(self.decode_head)

    def _take_output(self, head: nn.Module) -> None:
        """Note what the logits of the model are: those of this head."""
        self.align_corners = head.align_corners
        self.num_classes = head.num_classes
        self.out_channels = getattr(head, 'out_channels', self.num_classes)

    def _init_auxiliary_head(self, auxiliary_head: dict | Sequence[dict] | None) -> None:
        if isinstance(auxiliary_head, list | tuple):
            self.auxiliary_head = ModuleList(map(self._build_head, auxiliary_head))
        elif auxiliary_head is not None:
            self.auxiliary_head = self._build_head(auxiliary_head)

    def _build_head(self, cfg: dict) -> nn.Module:
        head = build_head(cfg)
        if isinstance(head, BaseCascadeDecodeHead):
            raise ConfigError(f'{type(head).__name__} refines the logits of a head before it, but '
                              f'{type(self).__name__} runs it by itself: put it behind that head '
                              'in the list decode_head of a CascadeEncoderDecoder, or use a head '
                              'such as FCNHead')
        return head

    @property
    def threshold(self) -> float | None:
        """Probability above which class 1 is predicted, if the head has one logit; else None."""
        return getattr(self.decode_head, 'threshold', None)

    def init_weights(self, pretrained: str | os.PathLike | None = None) -> None:
        """As that of BaseSegmentor; `pretrained` is the constructor's by default."""
        if pretrained is None and not self.is_init:
            pretrained = self.pretrained
        super().init_weights(pretrained)

    def init_unwritten(self) -> None:
        """Draw or load the weights to which nothing was written since the model was built.

        For programs in the style of mmsegmentation 0.10, where the constructor does so: what they
        loaded since stays. Does nothing after `init_weights`, and in a copy of the model.
        """
        if self.is_init:
            return
        written = self._built.since(self)
        if len(written) == len([*self.parameters()]):
            return
        with starting_from(self, self.pretrained):  # a subclass's version may read it
            self.init_weights()
        if written:
            self.load_state_dict(written, strict=False)

    def extract_feat(self, img: Tensor) -> Sequence[Tensor]:
        """Feature maps of the backbone, or of the neck, for images [N, C, H, W]."""
        x = self.backbone(img)
        return self.neck(x) if self.with_neck else x

    def encode_decode(self, img: Tensor, img_metas: Sequence[dict] | None) -> Tensor:
        """Logits [N, out_channels, H, W] of images [N, C, H, W]."""
        out = self._decode_head_forward_test(self.extract_feat(img), img_metas)
        return resize(out, img.shape[2:], mode='bilinear', align_corners=self.align_corners)

    def forward_dummy(self, img: Tensor) -> Tensor:
        """Logits of images [N, C, H, W], for counting operations."""
        return self.encode_decode(img, None)

    def forward_train(self, img: Tensor, img_metas: Sequence[dict], gt_semantic_seg: Tensor,
                      **targets: Tensor) -> dict[str, Tensor]:
        """Losses of all heads for images [N, C, H, W] and labels [N, 1, H, W].

        `targets` are further entries of the batch, which heads name in `extra_targets`. Raises
        ConfigError for a missing one, and for one that no head names.
        """
        if targets:
            check_targets_are_used(self, targets)
        x = self.extract_feat(img)
        losses = self._decode_head_forward_train(x, img_metas, gt_semantic_seg, **targets)
        if self.with_auxiliary_head:
            losses.update(
                self._auxiliary_head_forward_train(x, img_metas, gt_semantic_seg, **targets))
        return losses

    def _decode_head_forward_train(self, x: Sequence[Tensor], img_metas: Sequence[dict],
                                   gt_semantic_seg: Tensor, **targets: Tensor
                                   ) -> dict[str, Tensor]:
        losses = self.decode_head.forward_train(x, img_metas, gt_semantic_seg, self.train_cfg,
                                                **select_targets(self.decode_head, targets))
        return add_prefix(losses, 'decode')

    def _decode_head_forward_test(self, x: Sequence[Tensor],
                                  img_metas: Sequence[dict] | None) -> Tensor:
        return self.decode_head.forward_test(x, img_metas, self.test_cfg)

    def _auxiliary_head_forward_train(self, x: Sequence[Tensor], img_metas: Sequence[dict],
                                      gt_semantic_seg: Tensor, **targets: Tensor
                                      ) -> dict[str, Tensor]:
        several = isinstance(self.auxiliary_head, nn.ModuleList)
        heads = self.auxiliary_head if several else [self.auxiliary_head]
        losses = {}
        for i, head in enumerate(heads):
            own = head.forward_train(x, img_metas, gt_semantic_seg, self.train_cfg,
                                     **select_targets(head, targets))
            losses.update(add_prefix(own, f'aux_{i}' if several else 'aux'))
        return losses

    @standard
    def whole_inference(self, img: Tensor, img_meta: Sequence[dict], rescale: bool) -> Tensor:
        """Logits of one forward pass; with `rescale` at the images' common original size."""
        return self._rescaled(self.encode_decode(img, img_meta), img_meta, rescale)

    @standard
    def slide_inference(self, img: Tensor, img_meta: Sequence[dict], rescale: bool) -> Tensor:
        """Logits averaged over overlapping windows; `rescale` as in `whole_inference`."""
        return self._rescaled(slide_logits(**self.windows(img, img_meta)), img_meta, rescale)

    def windows(self, img: Tensor | WindowSource, img_metas: Sequence[dict] | None
                ) -> dict[str, object]:
        """Arguments for `slide_logits` and `slide_strips`."""
        number = img.shape[0]

        def forward(windows: Tensor) -> Tensor:
            metas = img_metas and [*img_metas] * (len(windows) // number)
            return self.encode_decode(windows, metas)

        crop = self.test_cfg.crop_size
        fitting = max(1, PIXELS_AT_ONCE // (number * crop[0] * crop[1]))
        return dict(forward=forward, img=img, crop_size=crop, stride=self.test_cfg.stride,
                    batch_windows=self.test_cfg.get('batch_windows') or fitting)

    def _rescaled(self, logits: Tensor, img_metas: Sequence[dict], rescale: bool) -> Tensor:
        if not rescale:
            return logits
        return _stack(to_original(logits[i:i + 1], meta, self.align_corners)
                      for i, meta in enumerate(img_metas))

    def _image_logits(self, img: Tensor, img_metas: Sequence[dict],
                      rescale: bool) -> Iterator[tuple[int, Tensor]]:
        """Index and logits [1, out_channels, h, w] of each image, with its flip undone."""
        run = self.slide_inference if sliding(self.test_cfg) else self.whole_inference
        for indices, part, metas in parts_of_equal_size(img, img_metas):
            logits = run(part, metas, rescale=False)
            for row, (index, meta) in enumerate(zip(indices, metas, strict=True)):
                own = to_original(logits[row:row + 1], meta, self.align_corners, rescale)
                yield index, unflip(own, meta)

    @standard
    def inference(self, img: Tensor, img_meta: Sequence[dict], rescale: bool) -> Tensor:
        """Probabilities [N, out_channels, h, w] of images of the same original size."""
        logits = dict(self._image_logits(img, img_meta, rescale))
        return class_probabilities(_stack(logits[i] for i in range(len(logits))))

    @standard
    def simple_test(self, img: Tensor, img_meta: Sequence[dict], rescale: bool = True,
                    scores: ScoreKind | None = None, on_logits: OnLogits | None = None
                    ) -> list[Result]:
        """Segmentation maps of images [N, C, H, W], each in the size of its original image.

        They are uint8 up to 256 classes and int32 beyond. `rescale=False` keeps the size that the
        pipeline gave the image. With `scores` the result holds pairs (map, scores). `on_logits`
        gets the logits of each image, whole, without padding and flip.
        """
        if is_own(self, 'inference'):
            assert on_logits is None, 'check_prediction_losses refuses this'
            return self._by_inference([img], [img_meta], rescale, scores)
        limit = self.test_cfg.get('max_logits_mb', MAX_LOGITS_MB)
        max_bytes = math.inf if limit is None else limit * 2**20
        builders: dict[int, SegMapBuilder] = {}
        for indices, part, metas in parts_of_equal_size(img, img_meta):
            for index, meta in zip(indices, metas, strict=True):
                builders[index] = SegMapBuilder(part.shape[2:], meta, rescale, self.align_corners,
                                                max_bytes, self.threshold, scores)
            for strip in self._strips(part, metas, max_bytes if on_logits is None else math.inf):
                for row, (index, meta) in enumerate(zip(indices, metas, strict=True)):
                    if on_logits is not None:
                        own = to_original(strip[row:row + 1], meta, self.align_corners, False)
                        on_logits(index, unflip(own, meta))
                    builders[index].add(strip[row:row + 1])
        return [builders[i].result() for i in range(len(builders))]

    def _strips(self, img: Tensor, img_metas: Sequence[dict],
                max_bytes: float) -> Iterator[Tensor]:
        """Logits in strips from top to bottom, or as one strip if that fits into `max_bytes`."""
        if not sliding(self.test_cfg):
            yield self.whole_inference(img, img_metas, rescale=False)
        elif not is_own(self, 'slide_inference'):
            yield from slide_strips(**self.windows(img, img_metas), max_bytes=max_bytes)
        else:  # a subclass has its own way to join windows
            yield self.slide_inference(img, img_metas, rescale=False)

    def aug_test(self, imgs: Sequence[Tensor], img_metas: Sequence[Sequence[dict]],
                 rescale: bool = True, scores: ScoreKind | None = None) -> list[Result]:
        """As `simple_test`, by the mean probability over several views of the images."""
        if not rescale:
            raise ConfigError('views of several sizes can only be merged at the original size: '
                              'leave rescale=True')
        if is_own(self, 'inference'):
            return self._by_inference(imgs, img_metas, rescale, scores)
        total: dict[int, Tensor] = {}
        for img, metas in zip(imgs, img_metas, strict=True):
            for index, logits in self._image_logits(img, metas, rescale=True):
                probability = class_probabilities(logits)
                total[index] = (total[index].add_(probability) if index in total
                                else probability)
        return [self._merge_views(total[i], len(imgs), scores) for i in range(len(total))]

    def _by_inference(self, imgs: Sequence[Tensor], img_metas: Sequence[Sequence[dict]],
                      rescale: bool, scores: ScoreKind | None) -> list[Result]:
        """Segmentation maps by the probabilities that a subclass's `inference` gives."""
        total = sum(self.inference(img, metas, rescale)
                    for img, metas in zip(imgs, img_metas, strict=True))
        return [self._merge_views(each[None], len(imgs), scores) for each in total]

    def _merge_views(self, total: Tensor, views: int, scores: ScoreKind | None) -> Result:
        """Segmentation map of the sum [1, C, H, W] of the probabilities in all views."""
        several = total.size(1) > 1  # then the mean is largest where the sum is
        classes = predicted_classes(total if several else total / views, self.threshold)
        seg_map = classes.cpu().numpy()
        return seg_map if scores is None else (
            seg_map, scores_of(total / views, classes, scores).numpy())


def _stack(maps: Iterator[Tensor]) -> Tensor:
    maps = list(maps)
    shapes = {tuple(each.shape[2:]) for each in maps}
    if len(shapes) > 1:
        raise DataError(f'images of the sizes {sorted(shapes)} do not fit into one tensor: use '
                        'simple_test, or a batch of images of one size')
    return torch.cat(maps)
