"""Hand over bytes and leave it to the device to make floats of them: the same, up to rounding.

A byte takes a quarter of what a float does in the worker, on the way to the main process and to the
device; a label takes an eighth.
"""
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mmcv_replace.image import split_channels
from mmcv_replace.parallel import DataContainer

from .base import Results, Transform
from .chw_normalize import fits
from .formating import Collect, DefaultFormatBundle
from .geometric import Pad
from .ignored import ignore_index_of
from .photometric import Normalize

KEY = 'img_finish'
Values = float | Sequence[float] | np.ndarray


class HandOver(Transform):
    """The end of a pipeline, `Normalize`, `Pad`, `DefaultFormatBundle` and `Collect`, for bytes.

    `img` is then uint8, in the order of channels that the model wants and padded with zeros, and a
    label map of bytes stays one. What `finish` has yet to do stands in the sample's `img_finish`:
    mean, 1 / std and pad value of each channel, and (height, width) of the image and with padding.
    An image that is not of bytes is finished here, and nothing is left to do.
    """

    def __init__(self, normalize: Normalize, pad: Pad | None, bundle: DefaultFormatBundle,
                 collect: Collect) -> None:
        self.steps = [step for step in (normalize, pad, bundle, collect) if step is not None]
        self.normalize = normalize
        self.pad = pad
        self.bundle = bundle
        self.collect = collect

    def __call__(self, results: Results) -> Results:
        img, pad = results['img'], self.pad
        size = None if pad is None else pad.choose_size(img)
        if not fits(img, size):
            for step in self.steps:
                results = step(results)
            channels, *shape = results['img'].data.shape
            # Images of other channels can only be among their like, for which nothing is left.
            return _with_rules(results, 0, 1, 0, shape, shape) if channels == 3 else results
        shape = img.shape[:2]
        results['img'] = split_channels(img, self.normalize.to_rgb, size).transpose(1, 2, 0)
        self.normalize.note(results)
        if pad is not None:
            pad.finish(results, results['img'])
        self.bundle.bundle(results, _label_type(results))
        return _with_rules(self.collect(results), self.normalize.mean,
                           1 / self.normalize.std.astype(np.float64),
                           0 if pad is None else pad.pad_val, shape, size or shape)


def _with_rules(sample: Results, mean: Values, scale: Values, pad_val: Values,
                shape: Sequence[int], padded: Sequence[int]) -> Results:
    values = [*(np.broadcast_to(value, 3) for value in (mean, scale, pad_val)), shape, padded]
    rules = torch.from_numpy(np.concatenate(values).astype(np.float32))
    return {**sample, KEY: DataContainer(rules, stack=True, pad_dims=None)}


def _label_type(results: Results) -> type:
    """Bytes where the label map and what is added to it in a batch are bytes."""
    label = results.get('gt_semantic_seg')
    of_bytes = label is not None and label.dtype == np.uint8
    return np.uint8 if of_bytes and 0 <= ignore_index_of(results) <= 255 else np.int64


def finish(batch: dict[str, Any]) -> dict[str, Any]:
    """Make of a batch of handed-over bytes the batch of floats; any other is returned as it is."""
    if KEY not in batch:
        return batch
    batch = dict(batch)
    rules, img = batch.pop(KEY), batch['img']
    batch['img'] = img.like([_normalize(*chunk) for chunk in zip(img.data, rules.data,
                                                                  strict=True)])
    label = batch.get('gt_semantic_seg')
    if label is not None:
        batch['gt_semantic_seg'] = label.like([chunk.long() for chunk in label.data])
    return batch


def _normalize(img: torch.Tensor, rules: torch.Tensor) -> torch.Tensor:
    """Float images of bytes [N, 3, H, W] by the rules [N, 13]; no shape depends on the rules."""
    mean, scale, pad_val, (shape, padded) = (
        *(part[..., None, None] for part in rules[:, :9].split(3, dim=1)),
        rules[:, 9:, None, None, None].split(2, dim=1))
    rows = torch.arange(img.shape[2], device=img.device)[:, None]
    columns = torch.arange(img.shape[3], device=img.device)

    def inside(size: torch.Tensor) -> torch.Tensor:
        return (rows < size[:, 0]) & (columns < size[:, 1])

    values = img.to(torch.float32, copy=True).sub_(mean).mul_(scale)
    # Beyond the padding of its sample, an image is filled up with zeros to the size of the batch.
    return torch.where(inside(shape), values, pad_val * inside(padded))
