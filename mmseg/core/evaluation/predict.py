"""Predictions, and the one loop that makes them: a stream that keeps none."""
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler
from torch.utils.data.distributed import DistributedSampler

from mmcv_replace.parallel import DataContainer
from mmcv_replace.utils.errors import ConfigError, DataError, add_note
from mmseg.visualization import read_picture

from .val_loss import ValidationLoss

ScoreKind = Literal['probabilities', 'confidence']
# Gets the place of an image in its batch, and its logits [1, out_channels, h, w].
OnLogits = Callable[[int, Tensor], None]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model predicts for one image, and how to get at that image."""

    index: int  # of the sample in its data set, or of the image among those given
    seg_map: np.ndarray  # [H, W] class indices, in the size of the original image
    meta: Mapping[str, Any]  # meta data of the image that the pipeline collected
    # float32, if asked for: probabilities [C, H, W] of the classes, or confidence [H, W], the
    # probability of the predicted class; both in the size of the original image.
    scores: np.ndarray | None = None
    load: Callable[[], np.ndarray] | None = None  # reads the original image; see `read_image`
    label: np.ndarray | None = None  # the annotation [H, W], if it has been read already

    @property
    def path(self) -> str | None:
        """File of the image; None for an image that was given as an array."""
        return self.meta.get('filename')

    @property
    def name(self) -> str:
        """File name of the image within its data set, or 'sample_INDEX.png' if it has none."""
        return self.meta.get('ori_filename') or f'sample_{self.index}.png'

    def read_image(self) -> np.ndarray:
        """The original image [H, W] or [H, W, C], as the pipeline loads it.

        Without a `load` function the file `path` is read. Raises DataError if there is neither.
        """
        try:
            if self.load is not None:
                return self.load()
            if self.path is not None:
                return read_picture(self.path)
        except Exception as error:
            add_note(error, f'while reading the original image of {self.name}; a data set whose '
                     'images are in no file has to return them from get_original_image(idx)')
            raise
        raise DataError(f'{self.name}: there is no file with the original image: let the data set '
                        "return it from get_original_image(idx), or keep 'filename' in the "
                        'meta_keys of the pipeline')


def predict(model: nn.Module, data_loader: DataLoader, scores: ScoreKind | None = None,
            loss: ValidationLoss | None = None) -> Iterator[Prediction]:
    """Run the model in evaluation mode over this process's share of the samples.

    `scores` are those that the predictions carry, see `Prediction`; `loss` gets all logits. The
    original images are read by `get_original_image(idx)` of the data set if it has this method,
    otherwise from their files. Raises ConfigError for a loader without a known order, see
    `sample_order`.
    """
    order = sample_order(data_loader)
    load = getattr(data_loader.dataset, 'get_original_image', None)
    done = 0
    with evaluating(model):
        for data in data_loader:
            on_logits = None if loss is None else partial(loss.add, order, done)
            # Not around the yield: the mode would leak into the code that consumes the stream.
            with torch.no_grad():
                results = predict_batch(model, data, scores, on_logits)
            labels = {} if loss is None else loss.end_batch()
            metas = first_view(data.get('img_metas'))
            if not isinstance(metas, list | tuple):  # a loader of a user collects none
                metas = [{}] * len(results)
            for index, (seg_map, score), meta in zip(order[done:done + len(results)], results,
                                                     metas, strict=True):
                yield Prediction(index, seg_map, meta, score, load and partial(load, index),
                                 labels.get(index))
            done += len(results)


def predict_batch(model: nn.Module, data: Mapping[str, Any], scores: ScoreKind | None = None,
                  on_logits: OnLogits | None = None
                  ) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Segmentation map of each image of a batch, and its scores if asked for.

    Call it without gradients, but not in inference mode: tensors made in that mode that a module
    keeps would break the next training step.
    """
    options = {} if on_logits is None else {'on_logits': on_logits}
    if scores is not None:
        return model(return_loss=False, rescale=True, scores=scores, **options, **data)
    results = model(return_loss=False, rescale=True, **options, **data)
    # A model of a user may return the result of a single image by itself.
    results = results if isinstance(results, list | tuple) else [results]
    return [(seg_map, None) for seg_map in results]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every module has its former mode again."""
    was_training = model.training
    former = [(module, module.training) for module in model.modules()]
    if not any(training for _, training in former):
        yield
        return
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)  # modules may override it, to change their form with the mode
        for module, training in former:  # parts of the model may have been frozen
            module.training = training


def sample_order(data_loader: DataLoader) -> list[int]:
    """Indices of the samples in the order in which the loader gives them.

    Raises ConfigError if samples would come in an unknown order, repeatedly, or not at all.
    """
    sampler = data_loader.sampler
    known = getattr(sampler, 'repeatable', False) or not isinstance(
        sampler, RandomSampler | DistributedSampler)
    if not known or data_loader.drop_last:
        raise ConfigError(
            f'evaluation needs each sample once and in a known order, which the sampler '
            f'{type(sampler).__name__} (drop_last={data_loader.drop_last}) does not '
            'give: build the loader by mmseg.datasets.build_dataloader(..., shuffle=False)')
    return [int(index) for batch in data_loader.batch_sampler for index in batch]


def first_view(field: Any) -> Any:
    """The batch of the first test-time view: a tensor [N, ...] or a list of N entries."""
    view = field[0] if isinstance(field, list) else field
    return view.data[0] if isinstance(view, DataContainer) else view
