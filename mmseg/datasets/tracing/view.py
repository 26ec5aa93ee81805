"""A sample at one place of its pipeline, as pictures that people can look at."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmcv_replace.image import to_displayable
from mmcv_replace.image.bands import band_count
from mmcv_replace.image.display import show_first
from mmcv_replace.parallel import DataContainer


@dataclass(frozen=True, eq=False)
class View:
    """The arrays of a sample, copied, since later steps may write to them."""

    img: np.ndarray | None  # [H, W] or [H, W, C]
    labels: dict[str, np.ndarray]  # the label maps [H, W] by their keys
    norm: Mapping[str, Any] | None  # `img_norm_cfg`

    @classmethod
    def of(cls, sample: Any, label_keys: Sequence[str] = ()) -> 'View':
        """What a sample holds; `label_keys` are those that earlier steps named in seg_fields."""
        if not isinstance(sample, Mapping):
            return cls(None, {}, None)
        keys = dict.fromkeys((*sample.get('seg_fields', ()), *label_keys))
        labels = {key: _label(array) for key in keys
                  if (array := _array(sample.get(key))) is not None}
        img = _array(sample.get('img'))
        if isinstance(_bare(sample.get('img')), torch.Tensor) and img.ndim == 3:
            img = img.transpose(1, 2, 0)
        metas = _bare(sample.get('img_metas'))
        norm = sample.get('img_norm_cfg') or (
            metas.get('img_norm_cfg') if isinstance(metas, Mapping) else None)
        return cls(img, labels, norm)

    def picture(self, bands: Sequence[int] | None = None, red_first: bool = False,
                of_bytes: bool = True) -> np.ndarray | None:
        """The image without its normalisation, BGR [H, W, 3] uint8; None where there is none.

        bands: what is shown as red, green and blue, or one in grey. `red_first`: the bands are in
        the order of the file, as color_type='bands' loads them. `of_bytes`: values are meant from 0
        to 255; those of other images are stretched, see `to_displayable`.
        """
        if self.img is None or self.img.ndim not in (2, 3) or 0 in self.img.shape:
            return None
        img, channels, to_rgb = self.img, band_count(self.img), red_first
        if self.norm is not None:
            mean, std = (np.asarray(self.norm[key], np.float32) for key in ('mean', 'std'))
            if mean.size in (1, channels) and (mean.any() or (std != 1).any()):
                img = img.reshape(*img.shape[:2], channels) * std + mean
            to_rgb = bool(self.norm.get('to_rgb'))
        if channels == 3 and to_rgb != red_first:  # back to the order of loading
            img = img[..., ::-1]
        if of_bytes and img.dtype != np.uint8:
            img = np.clip(np.rint(np.nan_to_num(img.astype(np.float64))), 0, 255).astype(np.uint8)
        if bands is None and red_first:
            bands = show_first(channels)
        return to_displayable(img, bands)

    def facts(self) -> str:
        """Width, height, type and range of the image: '640 x 480, 3 bands of uint8, 0 to 255'."""
        if self.img is None:
            return 'no image'
        if self.img.ndim not in (2, 3):
            return f'an array {list(self.img.shape)} of {self.img.dtype}'
        height, width = self.img.shape[:2]
        bands = band_count(self.img)
        facts = f'{width} x {height}, {bands} band{"s" * (bands != 1)} of {self.img.dtype}'
        if not self.img.size:
            return facts
        return f'{facts}, {self.img.min():.6g} to {self.img.max():.6g}'


def difference(before: np.ndarray | None, after: np.ndarray | None) -> float:
    """The largest difference of two pictures' values; infinite where they differ in size."""
    if before is None or after is None:
        return 0.0 if before is after else np.inf
    if before.shape != after.shape:
        return np.inf
    return float(np.abs(before.astype(np.int64) - after).max(initial=0))


def _bare(value: Any) -> Any:
    """What is in a container, and the first of several views."""
    while isinstance(value, DataContainer | list) and not (isinstance(value, list) and not value):
        value = value.data if isinstance(value, DataContainer) else value[0]
    return value


def _array(value: Any) -> np.ndarray | None:
    value = _bare(value)
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return np.array(value) if isinstance(value, np.ndarray) else None


def _label(label: np.ndarray) -> np.ndarray:
    return label[0] if label.ndim == 3 and label.shape[0] == 1 else label
