"""Leave the change from uint8 to normalised floats to the device: same values up to rounding.

Between the worker, the main process and the device a byte takes a quarter of the memory of a float,
and an eighth of that of an int64 label.
"""
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mmcv_replace.image import split_channels
from mmcv_replace.parallel import DataContainer

from .base import Results, Step, match
from .formating import Collect, DefaultFormatBundle
from .geometric import Pad
from .ignored import ignore_index_of
from .normalize import CHWNormalize, Normalize

KEY = 'img_finish'
ENDS = ((Normalize, Pad, DefaultFormatBundle, Collect), (Normalize, DefaultFormatBundle, Collect))


class DeviceNormalize(CHWNormalize):
    """The end of a pipeline for uint8: `Normalize`, `Pad`, `DefaultFormatBundle` and `Collect`.

    `img` stays uint8, in the order of channels that the model wants and padded with zeros, and a
    uint8 label map stays one. `img_finish` of the sample [13] is for `finish`: mean, 1 / std and
    pad value of each channel, (height, width) of the image, and (height, width) with padding. An
    image of another type is normalised here, with an `img_finish` that changes nothing.
    """

    def __init__(self, normalize: Normalize, pad: Pad | None, bundle: DefaultFormatBundle,
                 collect: Collect) -> None:
        super().__init__(normalize, pad)
        self.bundle = bundle
        self.collect = collect

    def __call__(self, results: Results) -> Results:
        shape = results['img'].shape[:2]
        results = super().__call__(results)
        img = results['img']
        if img.dtype == np.uint8:
            rules = (self.normalize.mean, 1 / self.normalize.std.astype(np.float64),
                     0 if self.pad is None else self.pad.pad_val, shape, img.shape[:2])
            sample = self.collect(self.bundle.bundle(results, _label_type(results)))
        else:
            rules = 0, 1, 0, img.shape[:2], img.shape[:2]
            sample = self.collect(self.bundle(results))
            if sample['img'].data.shape[0] != 3:  # nor has any other image of its batch
                return sample
        values = [np.broadcast_to(value, 3) for value in rules[:3]]
        packed = torch.from_numpy(np.concatenate([*values, *rules[3:]]).astype(np.float32))
        return {**sample, KEY: DataContainer(packed, stack=True, pad_dims=None)}

    def convert(self, img: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
        return split_channels(img, self.normalize.to_rgb, size)


def replace_end(steps: Sequence[Step]) -> list[Step] | None:
    """The steps with `DeviceNormalize` for those at the end, or None where it cannot do these."""
    for end in ENDS:
        replaced = steps[-len(end):]
        if match(replaced, *end) and 'img' in replaced[-1].keys:
            normalize, *pad, bundle, collect = replaced
            others = list(steps[:-len(end)])
            return None if any(match([step], Normalize) for step in others) else [
                *others, DeviceNormalize(normalize, *(pad or [None]), bundle, collect)]
    return None


def _label_type(results: Results) -> type:
    """uint8 where it holds the label map and the padding that a batch adds to it."""
    label = results.get('gt_semantic_seg')
    is_uint8 = label is not None and label.dtype == np.uint8
    return np.uint8 if is_uint8 and 0 <= ignore_index_of(results) <= 255 else np.int64


def finish(batch: dict[str, Any]) -> dict[str, Any]:
    """The batch with float images and int64 labels; one without `img_finish` stays as it is."""
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
    """Float images of uint8 ones [N, 3, H, W] and rules [N, 13], on whose values no shape depends.
    """
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
