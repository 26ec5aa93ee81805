"""Hand over bytes and leave it to the device to make floats of them: the same, up to rounding.

A byte takes a quarter of what a float does in the worker, on the way to the main process and to the
device; a label takes an eighth.
"""
from typing import Any

import numpy as np
import torch

from mmcv_replace.image import split_channels
from mmcv_replace.parallel import DataContainer

from .base import Results, Transform
from .formating import Collect, DefaultFormatBundle
from .geometric import Pad
from .photometric import Normalize
from .planes import fits

KEY = 'img_finish'


class HandOver(Transform):
    """The end of a pipeline, `Normalize`, `Pad`, `DefaultFormatBundle` and `Collect`, for bytes.

    `img` is then uint8, in the order of channels that the model wants and padded with zeros, and a
    label map of bytes stays one. What `finish` has yet to do stands in the sample's `img_finish`:
    mean, 1 / std and pad value of each channel, and (height, width) of the image and with padding.
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
            return results
        rules = self._rules(img.shape[:2], size or img.shape[:2])
        results['img'] = split_channels(img, self.normalize.to_rgb, size).transpose(1, 2, 0)
        self.normalize.note(results)
        if pad is not None:
            pad.finish(results, results['img'])
        self.bundle.bundle(results, _label_type(results))
        return {**self.collect(results), KEY: DataContainer(rules, stack=True, pad_dims=None)}

    def _rules(self, shape: tuple[int, int], padded: tuple[int, int]) -> torch.Tensor:
        normalize, pad_val = self.normalize, 0 if self.pad is None else self.pad.pad_val
        values = [normalize.mean, 1 / normalize.std.astype(np.float64),
                  np.broadcast_to(pad_val, 3), shape, padded]
        return torch.from_numpy(np.concatenate(values).astype(np.float32))


def _label_type(results: Results) -> type:
    """Bytes where the label map and what is added to it in a batch are bytes."""
    label = results.get('gt_semantic_seg')
    of_bytes = label is not None and label.dtype == np.uint8
    return np.uint8 if of_bytes and 0 <= results.get('ignore_index', 255) <= 255 else np.int64


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

    values = img.float().sub_(mean).mul_(scale)
    # Beyond the padding of its sample, an image is filled up with zeros to the size of the batch.
    return torch.where(inside(shape), values, pad_val * inside(padded))
