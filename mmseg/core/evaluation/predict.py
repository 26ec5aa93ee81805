"""The one loop over a test set: a stream of predictions, none of them kept."""
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler
from torch.utils.data.distributed import DistributedSampler

from mmcv_replace.parallel import DataContainer
from mmcv_replace.utils.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Prediction:
    """One sample's result."""

    index: int  # of the sample in the dataset
    label_map: np.ndarray  # [H, W] class indices, in the size of the original image
    meta: dict  # the image's meta dict
    image: torch.Tensor | None = None  # [3, H', W'] as the model saw it, where asked for


def predict(
    model: nn.Module, data_loader: DataLoader, with_image: bool = False
) -> Iterator[Prediction]:
    """Run the model over this process's share of the samples, in evaluation mode."""
    order = iter(sample_order(data_loader))
    with evaluating(model):
        for data in data_loader:
            # Not around the yield: the mode would leak into the code that consumes the stream. Not
            # inference mode: tensors of it that a module keeps break the next training step.
            with torch.no_grad():
                label_maps = model(return_loss=False, rescale=True, **data)
            metas = first_view(data['img_metas'])
            images = first_view(data['img']) if with_image else [None] * len(metas)
            for label_map, meta, image in zip(label_maps, metas, images, strict=True):
                yield Prediction(next(order), label_map, meta, image)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; then every module has its former mode again."""
    was_training = model.training
    former = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)  # by this way modules hear of it, but a part may have been frozen
        for module, training in former:
            module.training = training


def sample_order(data_loader: DataLoader) -> list[int]:
    """Indices of the samples in the order in which the loader gives them.

    Raises ConfigError where samples would come in an unknown order, repeated, or not at all.
    """
    if isinstance(data_loader.sampler, RandomSampler | DistributedSampler) or data_loader.drop_last:
        raise ConfigError(
            f'evaluation needs each sample once and in a known order, which the sampler '
            f'{type(data_loader.sampler).__name__} (drop_last={data_loader.drop_last}) does not '
            'give: build the loader by mmseg.datasets.build_dataloader(..., shuffle=False)')
    return [int(index) for batch in data_loader.batch_sampler for index in batch]


def first_view(field: Any) -> Any:
    """The batch of the first test-time view: a tensor [N, ...] or a list of N entries."""
    view = field[0] if isinstance(field, list) else field
    return view.data[0] if isinstance(view, DataContainer) else view
