"""Make a batch of samples."""
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.data import default_collate

from ..utils.errors import ArgumentError, DataError
from .data_container import DataContainer


class UnequalSamplesError(DataError, AssertionError):
    """Samples whose tensors cannot be one batch."""


def collate(batch: Sequence[Any], samples_per_gpu: int = 1) -> Any:
    """Batch a list of samples as torch's default_collate does, and their `DataContainer`s too.

    A container of the result holds one entry for each chunk of `samples_per_gpu` samples: a stacked
    tensor [N, ...] if `stack`, otherwise the list of the samples' values. Raises
    UnequalSamplesError for tensors whose shapes differ in more than the padded dimensions, and
    ArgumentError for a batch that is no list of samples.
    """
    if not isinstance(batch, Sequence):
        raise ArgumentError(f'a batch is a list of samples, not a {type(batch).__name__}')
    first = batch[0]
    if isinstance(first, DataContainer):
        chunks = [batch[start:start + samples_per_gpu]
                  for start in range(0, len(batch), samples_per_gpu)]
        stacked = first.stack and not first.cpu_only
        return first.like([_stack(chunk) if stacked else [sample.data for sample in chunk]
                           for chunk in chunks])
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        return [collate(samples, samples_per_gpu) for samples in zip(*batch, strict=True)]
    if isinstance(first, Mapping):
        return {key: collate([sample[key] for sample in batch], samples_per_gpu) for key in first}
    return default_collate(batch)


def _stack(samples: Sequence[DataContainer]) -> torch.Tensor:
    """Pad the tensors of one chunk to their largest size and stack them."""
    tensors = [sample.data for sample in samples]
    pad_dims = samples[0].pad_dims or 0
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        kinds = ', '.join(type(tensor).__name__ for tensor in tensors)
        raise UnequalSamplesError(f'DataContainer(stack=True) is for tensors, and these samples '
                                  f'hold {kinds}: convert them (ToTensor), or leave out stack=True')
    kept = {tuple(tensor.shape[:tensor.dim() - pad_dims]) for tensor in tensors}
    dims = {tensor.dim() for tensor in tensors}
    if len(kept) > 1 or len(dims) > 1 or min(dims) < pad_dims:
        shapes = ', '.join(str(tuple(tensor.shape)) for tensor in tensors)
        raise UnequalSamplesError(
            f'samples of the shapes {shapes} cannot be one batch: only the last {pad_dims} '
            'dimensions may differ; check the pipeline (grey images among colour ones?) or set '
            'samples_per_gpu=1')
    # torch.stack would take the type of the first tensor: floats could become bytes.
    common = functools.reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
    largest = [max(tensor.shape[-dim] for tensor in tensors) for dim in range(1, pad_dims + 1)]
    return default_collate([_pad(sample, largest).to(common) for sample in samples])


def _pad(sample: DataContainer, largest: Sequence[int]) -> torch.Tensor:
    """Pad at the end of the last dimensions to the sizes `largest`, the last dimension first."""
    padding = [amount for dim, size in enumerate(largest, start=1)
               for amount in (0, size - sample.size(-dim))]
    return F.pad(sample.data, padding, value=sample.padding_value) if any(padding) else sample.data
