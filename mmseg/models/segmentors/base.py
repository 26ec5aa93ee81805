"""Interface between a segmentation model and the training and test loops."""
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from mmcv_replace.image import imwrite
from mmcv_replace.image.display import show_first
from mmcv_replace.runner import BaseModule
from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError
from mmseg.core import ScoreKind, takes
from mmseg.visualization import draw_overlay, read_picture, show_window

from ..utils import starting_from

Losses = dict[str, Tensor | list[Tensor]]


def _has_part(name: str) -> property:
    return property(lambda self: getattr(self, name, None) is not None,
                    doc=f'Whether the model has a part {name!r}.')


class BaseSegmentor(BaseModule, metaclass=ABCMeta):
    """Base class of whole models.

    CLASSES and PALETTE (one RGB colour per class) are those of the data set it was trained on.
    """

    CLASSES: Sequence[str] | None = None
    PALETTE: Sequence[Sequence[int]] | None = None
    # The number of bands where images keep the order of their files, None where they are BGR.
    input_bands: int | None = None
    fp16_enabled = False  # user code for mmcv reads it; autocast decides

    with_neck = _has_part('neck')
    with_auxiliary_head = _has_part('auxiliary_head')
    with_decode_head = _has_part('decode_head')

    def init_weights(self, pretrained: str | os.PathLike | None = None) -> None:
        """Draw the weights; those of the backbone come from the file `pretrained`, if given.

        A further call does nothing, unless it names a file.
        """
        backbone = getattr(self, 'backbone', None)
        with starting_from(backbone, pretrained):
            if not self.is_init:
                super().init_weights()
            elif pretrained is not None and backbone is not None:
                backbone.init_weights()

    @abstractmethod
    def extract_feat(self, img: Tensor) -> Sequence[Tensor]:
        """Feature maps of images [N, C, H, W]."""

    @abstractmethod
    def encode_decode(self, img: Tensor, img_metas: Sequence[dict] | None) -> Tensor:
        """Logits [N, out_channels, H, W] of images [N, C, H, W]."""

    @abstractmethod
    def forward_train(self, img: Tensor, img_metas: Sequence[dict], **kwargs: Tensor) -> Losses:
        """Losses of a training batch of images [N, C, H, W], by name."""

    @abstractmethod
    def simple_test(self, img: Tensor, img_meta: Sequence[dict],
                    rescale: bool = True) -> list[np.ndarray]:
        """Segmentation maps [H, W] of images [N, C, H, W].

        With `rescale` in the size of the original images, otherwise as the pipeline resized them.
        """

    @abstractmethod
    def aug_test(self, imgs: Sequence[Tensor], img_metas: Sequence[Sequence[dict]],
                 rescale: bool = True) -> list[np.ndarray]:
        """Segmentation maps [H, W] of a batch seen in several views (scales, flips)."""

    def forward(self, img: Tensor | Sequence[Tensor], img_metas: Sequence,
                return_loss: bool = True, **kwargs: object) -> Losses | list[Any]:
        """Losses of images [N, C, H, W], or with `return_loss=False` their segmentation maps.

        In the latter case `img` and `img_metas` are lists over the test-time views: img[v] is a
        tensor [N, C, H, W], img_metas[v] a list of N dicts. Further arguments are for
        `forward_train` or `forward_test`.
        """
        if return_loss:
            return self.forward_train(img, img_metas, **kwargs)
        return self.forward_test(img, img_metas, **kwargs)

    def forward_test(self, imgs: Sequence[Tensor], img_metas: Sequence[Sequence[dict]],
                     scores: ScoreKind | None = None, **kwargs: object) -> list[Any]:
        """Segmentation maps [H, W] of a batch, seen in one or several test-time views.

        With `scores` ('probabilities' or 'confidence', see `Prediction`) pairs (map, scores).
        """
        for name, value in (('img', imgs), ('img_metas', img_metas)):
            if not isinstance(value, list):
                raise ArgumentError(f'{name} must be a list over the test-time views (of one, '
                                    f'without augmentation), got {type(value).__name__}')
        if len(imgs) != len(img_metas):
            raise DataError(f'{len(imgs)} views of images but {len(img_metas)} of img_metas')
        single = len(imgs) == 1
        if kwargs.get('on_logits') is not None and not single:
            raise ConfigError('val_loss=True: a loss is that of the logits of one view, '
                              f'but the pipeline gives {len(imgs)} of each image: set one '
                              'img_scale and flip=False in its MultiScaleFlipAug')
        if scores is not None:
            self._check_scores(scores, self.simple_test if single else self.aug_test)
            kwargs['scores'] = scores
        if single:
            return self.simple_test(imgs[0], img_metas[0], **kwargs)
        return self.aug_test(imgs, img_metas, **kwargs)

    def _check_scores(self, scores: object, method: Callable) -> None:
        if scores not in get_args(ScoreKind):
            raise ConfigError(f'scores={scores!r}: choose one of {", ".join(get_args(ScoreKind))}')
        if not takes(method, 'scores'):
            raise ConfigError(f'{method.__name__} of {type(self).__name__} gives no scores: let it '
                              'take scores=None and return pairs (seg map, scores) when it is set')

    def train_step(self, data_batch: dict, optimizer: torch.optim.Optimizer | None,
                   **kwargs: object) -> dict:
        """Loss to differentiate, values to log, and number of images of a batch."""
        loss, log_vars = self._parse_losses(self(**data_batch))
        return dict(loss=loss, log_vars=log_vars, num_samples=len(data_batch['img']))

    def val_step(self, data_batch: dict, optimizer: torch.optim.Optimizer | None = None,
                 **kwargs: object) -> dict:
        """As `train_step`, with the suffix `_val` for the names of the logged values."""
        outputs = self.train_step(data_batch, optimizer)
        log_vars = {f'{name}_val': value for name, value in outputs['log_vars'].items()}
        return {**outputs, 'log_vars': log_vars}

    @staticmethod
    def _parse_losses(losses: Losses) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum of the entries whose name contains 'loss', and the means of all entries.

        The means are detached, and stay on their device until the logger reads them.
        """
        means = {}
        for name, value in losses.items():
            parts = value if isinstance(value, list) else [value]
            if not parts or not all(isinstance(part, Tensor) for part in parts):
                raise ArgumentError(f'the loss {name!r} is {value!r}: return a tensor or a list of '
                                    'tensors from forward_train')
            means[name] = sum(part.mean() for part in parts)
        counted = [value for name, value in means.items() if 'loss' in name]
        if not counted:
            raise ArgumentError(f"none of {list(means)} has 'loss' in its name, so that there is "
                                'nothing to train: call an entry of forward_train loss_...')
        loss = sum(counted)
        log_vars = {name: value.detach() for name, value in {**means, 'loss': loss}.items()}
        return loss, log_vars

    def show_result(
        self, img: str | os.PathLike | np.ndarray, result: Sequence[np.ndarray] | np.ndarray,
        palette: Sequence[Sequence[int]] | None = None, win_name: str = '', show: bool = False,
        wait_time: float = 0, out_file: str | os.PathLike | None = None, opacity: float = 0.5,
        legend: bool = False, bands: Sequence[int] | None = None,
        ignore_index: int | None = None,
    ) -> np.ndarray:
        """Draw a segmentation map over an image; returns a BGR picture [H, W, 3] uint8.

        img: a file, or an array [H, W] or [H, W, C] of any type, see `to_displayable`.
        result: class indices [H, W], or a list whose first entry is drawn.
        palette: RGB colours of the classes, by default PALETTE; without one see `class_colours`.
        show, wait_time: show a window titled `win_name` for this many seconds, or until a key is
            pressed if it is 0; ignored with `out_file`.
        out_file: file to write the picture to. DataError if its format holds no colours.
        opacity: share of the class colours, in (0, 1].
        legend: add a strip with names and colours of the classes in the picture.
        bands: what is shown as red, green and blue, or one in grey, counted from 0; of images with
            bands in the order of the file by default the first three.
        ignore_index: a label that is no class, which is black, and called ignored in the legend.
        """
        seg_map = result if isinstance(result, np.ndarray) else result[0]
        if palette is None:
            palette = self.PALETTE
        if bands is None and self.input_bands is not None:
            bands = show_first(self.input_bands)
        picture = draw_overlay(read_picture(img, self.input_bands), seg_map, palette, opacity,
                               legend, self.CLASSES, bands, ignore_index)
        if out_file is not None:
            if not imwrite(picture, out_file):
                raise DataError(f'{os.fspath(out_file)}: files of this kind hold no coloured '
                                'picture: use a suffix such as .png or .jpg')
        elif show:
            show_window(picture, win_name, wait_time)
        return picture
