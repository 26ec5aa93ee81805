"""Mean and standard deviation of the training images, as the steps of the pipeline load them."""
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.utils import leaf_datasets

from ..masks.label_settings import all_steps
from ..pipelines import LoadImageFromFile, Normalize
from .examine import scan
from .moments import Moments, moments_of

DIGITS = 7  # of the values to paste


@dataclass
class Measured:
    """An image: its file, and its moments and type, or why it has none."""

    file: str
    moments: Moments | None = None
    dtype: str = ''
    trouble: str = ''


@dataclass
class Statistics:
    """Moments of the pixels of all images together, in the order of the bands as loaded.

    `swapped`: whether Normalize turns the first three bands around (`to_rgb`). `types`: number of
    images of each type of values. `left_out`: (file, why) of images that are not counted.
    """

    moments: Moments | None = None
    swapped: bool = False
    types: Counter[str] = field(default_factory=Counter)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def add(self, image: Measured) -> None:
        """Count an image, unless it has another number of bands than those before."""
        trouble = image.trouble
        if image.moments is not None and self.moments is not None:
            bands, others = len(image.moments.mean), len(self.moments.mean)
            if bands != others:
                trouble = f'the number of its bands is {bands}, that of images before {others}'
        if trouble:
            self.left_out.append((image.file, trouble))
            return
        self.types[image.dtype] += 1
        self.moments = image.moments if self.moments is None else self.moments + image.moments

    def bands(self) -> dict[str, np.ndarray]:
        """mean, std, lowest and highest [C] in the order in which Normalize takes the first two."""
        values = self.moments
        rows = dict(mean=values.mean, std=values.std, lowest=values.low, highest=values.high)
        return {name: row[::-1] if self.swapped else row for name, row in rows.items()}

    def constant(self) -> list[int]:
        """The bands of one value alone, by which nothing can be divided."""
        return np.flatnonzero(self.bands()['std'] == 0).tolist()

    def norm_cfg(self) -> str:
        """The line for a config: `img_norm_cfg = dict(mean=[...], std=[...], to_rgb=True)`."""
        bands = self.bands()
        std = np.where(bands['std'] == 0, 1, bands['std'])
        mean, std = ([float(f'{value:.{DIGITS}g}') for value in row]
                     for row in (bands['mean'], std))
        return f'img_norm_cfg = dict(mean={mean}, std={std}, to_rgb={self.swapped})'

    def to_json(self) -> dict[str, Any]:
        """All figures in values that JSON can hold."""
        known = {} if self.moments is None else dict(
            pixels=self.moments.count, to_rgb=self.swapped, img_norm_cfg=self.norm_cfg(),
            **{name: row.tolist() for name, row in self.bands().items()})
        return dict(images=self.types.total(), types=dict(self.types), **known,
                    left_out=[dict(file=file, why=why) for file, why in self.left_out])


class ImageMeter(Dataset):
    """The moments of each image, as a data set: torch's loader computes them in parallel."""

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.parts = parts
        self.samples = [(part, index) for part in range(len(parts))
                        for index in range(len(parts[part]))]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: int) -> Measured:
        part, index = self.samples[place]
        dataset = self.parts[part]
        info = dataset.img_infos[index] if hasattr(dataset, 'img_infos') else {}
        file = os.path.join(getattr(dataset, 'img_dir', None) or '',
                            info.get('filename', f'sample {index}'))
        try:
            img = dataset.get_original_image(index)
            return Measured(file, moments_of(img), str(img.dtype))
        except (DataError, OSError) as error:
            return Measured(file, trouble=str(error).removeprefix(f'{file}: '))


def measure(dataset: Dataset, nproc: int = 1,
            progress: Callable[[tuple[Iterable, int]], Iterable] | None = None) -> Statistics:
    """Statistics of the images of a data set, each once, read by `get_original_image`.

    Raises ConfigError for a data set without this method.
    """
    parts = list(leaf_datasets(dataset))
    unknown = [part for part in parts if not hasattr(part, 'get_original_image')]
    if unknown:
        raise ConfigError(f'--statistics: {type(unknown[0]).__name__} does not tell how its images '
                          'are loaded: give it a method get_original_image(idx), which returns '
                          'the image [H, W] or [H, W, C] before any change')
    meter = ImageMeter(parts)
    if len(meter):
        meter[0]  # an unfit setting ends the command here, and not in each process
    series: Iterable[Measured] = scan(meter, nproc)
    if progress is not None:
        series = progress((series, len(meter)))
    statistics = Statistics()
    for image in series:
        statistics.add(image)
    if statistics.moments is not None and len(statistics.moments.mean) == 3:
        statistics.swapped = _turns_around(parts)
    return statistics


def _turns_around(parts: Sequence[Dataset]) -> bool:
    """`to_rgb` of the first Normalize of the pipelines; True, its default, without one.

    False where bands are loaded in the order of the file, in which red is first already.
    """
    steps = [step for part in parts if hasattr(part, 'pipeline')
             for step in all_steps(part.pipeline)]
    if any(isinstance(step, LoadImageFromFile) and step.color_type == BANDS for step in steps):
        return False
    return next((step.to_rgb for step in steps if isinstance(step, Normalize)), True)
