"""The loss of a model on the images of an evaluation, from the same forward passes."""
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmcv_replace.engine.gather import gather_parts
from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.utils.errors import ConfigError

from .class_names import classes_of_model
from .confusion import ConfusionMatrix
from .labels import remap_labels
from .overrides import BY_INDEX, is_own, labels_of

PREFIX = 'val/'  # of the names of these losses in the scores


class ValidationLoss:
    """Means of the losses of the predicted logits over the images of all processes.

    They are the losses of the head that predicts, in a cascade of the last one, with its class
    weights, sampler and label to ignore, computed for one image at a time at the size of its
    annotation, which the logits are enlarged to. In `slide` mode these are the means of the
    windows. Auxiliary heads, and parts of a head that predict nothing (loss_se of EncHead), are not
    run. The loss of an image is the mean over its pixels as in training; each image counts the
    same. The logits of an image have to fit into memory, in the size that the network sees.

    `order`: the classes of the data set for those of the model, see `relabel`.
    """

    def __init__(self, model: nn.Module, dataset: Dataset,
                 order: Sequence[int] | None = None) -> None:
        self._model = model
        self._dataset = dataset
        self._model_classes = {of_data: place for place, of_data in enumerate(order or ())}
        self._values: list[dict[str, Tensor]] = []  # of the images of the batch, on the device
        self._labels: dict[int, np.ndarray] = {}  # of the images of the batch
        self._sums: dict[str, list[float]] = {}  # the values of each loss, of all images so far
        self._read: Callable[[int], np.ndarray] | None = None

    def check(self) -> list[str]:
        """Names of the losses in the scores; ConfigError where they cannot be computed."""
        check = getattr(self._model, 'check_prediction_losses', None)
        if check is None:
            raise ConfigError(f'val_loss=True: {type(self._model).__name__} does not '
                              'tell its losses: derive it from EncoderDecoder, or leave val_loss '
                              'out')
        names = check()
        if not hasattr(self._dataset, 'ignore_index') or not (
                callable(getattr(self._dataset, BY_INDEX[0], None))
                or any(is_own(self._dataset, name) for name in BY_INDEX)):
            raise ConfigError('val_loss=True: the dataset gives no annotations: it '
                              'needs get_gt_seg_map(idx) and ignore_index, or leave val_loss out')
        views = self._dataset[0].get('img')
        if isinstance(views, list) and len(views) > 1:
            raise ConfigError('val_loss=True: a loss is that of the logits of one view, '
                              f'but the test pipeline gives {len(views)} of each image: set '
                              'one img_scale and flip=False in its MultiScaleFlipAug')
        return [f'{PREFIX}{name}' for name in names]

    def add(self, order: Sequence[int], done: int, place: int, logits: Tensor) -> None:
        """Take logits [1, out_channels, h, w]: of the sample order[done + place]."""
        index = order[done + place]
        if self._read is None:
            self._read = labels_of(self._dataset)
        label = self._labels[index] = np.asarray(self._read(index))
        classes = len(getattr(self._dataset, 'CLASSES', None) or ()) or classes_of_model(
            self._model)
        ConfusionMatrix(classes, self._dataset.ignore_index).check_label(
            label, f'sample {index} of the dataset')
        label = remap_labels(label, self._model_classes)
        if label.dtype != np.uint8:
            label = label.astype(np.int64)
        batch = torch.tensor(label)[None, None].to(logits.device, non_blocking=True)
        self._values.append(self._model.prediction_losses(logits, batch))

    def end_batch(self) -> dict[int, np.ndarray]:
        """Annotations of the samples of a batch, whose predictions are there: nothing waits."""
        for values in self._values:
            found = torch.stack([value.reshape(()).float() for value in values.values()]).tolist()
            for name, value in zip(values, found, strict=True):
                self._sums.setdefault(name, []).append(value)
        self._values = []
        labels, self._labels = self._labels, {}
        return labels

    def finish(self) -> dict[str, float]:
        """The mean of each loss, by 'val/' and its name; every process has to call this."""
        parts = gather_parts({name: (math.fsum(values), len(values))
                              for name, values in self._sums.items()})
        means = {}
        if parts is not None:
            for name in dict.fromkeys(name for part in parts for name in part):
                found = [part[name] for part in parts if name in part]
                means[f'{PREFIX}{name}'] = (
                    math.fsum(total for total, _ in found) / sum(count for _, count in found))
        return from_first_rank(means)
