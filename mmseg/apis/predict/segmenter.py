"""A trained model with its classes, to predict images from Python or in a notebook."""
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch import nn

from mmcv_replace.parallel import is_module_wrapper
from mmseg.core import ScoreKind
from mmseg.prediction.classes import palette_of
from mmseg.prediction.segmentation import Segmentation
from mmseg.prediction.stream import Image

from ..inference import predict_images
from .predictor import find_predictor, load_predictor


class Segmenter:
    """Predicts images with a model; `names` of its classes, and `palette` [C, 3] RGB.

        segmenter = Segmenter.from_checkpoint('work_dirs/mine/latest.pth')
        result = segmenter.predict('image.jpg')

    The model is one of `init_segmentor`, or any with its config as `cfg`. It may be in training,
    and is again afterwards; threads may share it if it is not.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._inner = model.module if is_module_wrapper(model) else model
        self.names: Sequence[str] | None = getattr(self._inner, 'CLASSES', None)
        self.palette: np.ndarray = palette_of(self._inner)

    @classmethod
    def from_checkpoint(cls, checkpoint: str | os.PathLike, device: str = 'auto',
                        config: str | os.PathLike | None = None, averaged: bool = False,
                        cfg_options: Mapping[str, object] | None = None) -> 'Segmenter':
        """Load a checkpoint: a file or an address, which carries its config, or a model's name.

        The name is that of a published model, whose weights are fetched. config: the file for a
        checkpoint without one. `averaged` loads the averaged weights that a run with an EMAHook
        saves. `cfg_options` change the config, as {'model.test_cfg.mode': 'whole'}. The model
        predicts the pixels of tools/test.py. Raises ConfigError or CheckpointError.
        """
        if config is None:
            cfg, file = find_predictor(checkpoint, options=cfg_options)
        else:
            cfg, file = find_predictor(config, os.fspath(checkpoint), cfg_options)
        return cls(load_predictor(cfg, file, device, averaged))

    def predict(self, images: Image | Sequence[Image], scores: ScoreKind | None = None,
                batch: int = 1) -> Segmentation | list[Segmentation]:
        """The result for an image, or the list of results for a list of them.

        For images, `scores` and `batch` see `predict_images`. Raises DataError for an image that
        cannot be read.
        """
        # Anything else, such as a picture of Pillow, is refused as an image with what to do.
        single = not isinstance(images, list | tuple | Iterator)
        found = [Segmentation(prediction, self._inner, self.palette) for prediction in
                 predict_images(self.model, [images] if single else images, scores, batch)]
        return found[0] if single else found
