"""What the converters of vessels in the retina share: images, and masks of two values, as PNGs."""
import gzip
import zlib
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmcv_replace.image import imfrombytes, imwrite
from mmcv_replace.utils import track_parallel_progress
from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.retina import RetinaDataset

from .archives import Member
from .masks import write_mask
from .staging import staged

SPLITS = ('training', 'validation')
SHOWN = 3


class Sample(NamedTuple):
    """An image and its masks: the names without suffix under which they are written -> files.

    The files are names in the archives, from `place_samples` on they are members of these.
    """

    split: str
    name: str
    image: str | Member
    masks: dict[str, str | Member]

    def __repr__(self) -> str:
        return str(self.image)


def convert_retina(samples: Sequence[Sample], files: Sequence[Member], out_dir: str | Path,
                   nproc: int = 1) -> dict[str, int]:
    """Write images/SPLIT and annotations/SPLIT, all or nothing; returns the number of each split.

    `files` are those of the archives. Masks are 1 where the grey value is 128 or more, and 0
    elsewhere. Raises MissingDataError where files of `samples` are missing, DataError for a file
    that cannot be read, a mask without a vessel, or one of another size than its image.
    """
    found = place_samples(samples, files)
    with staged(out_dir) as folder:
        track_parallel_progress(partial(convert_sample, folder=folder), found, nproc)
    return {split: sum(sample.split == split for sample in samples) for split in SPLITS}


def place_samples(samples: Sequence[Sample], files: Sequence[Member]) -> list[Sample]:
    """The samples with members; upper and lower case of names, and folders, do not matter."""
    places = defaultdict(list)
    for file in files:
        places[file.name.lower()].append(file)
    wanted = [name for sample in samples for name in (sample.image, *sample.masks.values())]
    missing = [name for name in wanted if name.lower() not in places]
    if missing:
        raise MissingDataError(
            f'the archives lack {len(missing)} of {len(wanted)} files: '
            f'{", ".join(missing[:SHOWN])}{", ..." if len(missing) > SHOWN else ""}; fetch them '
            'again, and give them in the order of --help')
    twice = next((name for name in wanted if len(places[name.lower()]) > 1), None)
    if twice is not None:
        raise DataError(f'the archives hold {twice} more than once: '
                        f'{", ".join(map(str, places[twice.lower()]))}; keep one of them')
    return [sample._replace(
        image=places[sample.image.lower()][0],
        masks={name: places[file.lower()][0] for name, file in sample.masks.items()})
        for sample in samples]


def convert_sample(sample: Sample, folder: Path) -> None:
    """Write an image and its masks below `folder`."""
    image = imfrombytes(_content(sample.image), name=str(sample.image))
    if not imwrite(image, folder / 'images' / sample.split / f'{sample.name}.png'):
        raise DataError(f'{sample.image} cannot be written as a PNG')
    for name, file in sample.masks.items():
        mask = read_binary_mask(file)
        if mask.shape != image.shape[:2]:
            raise DataError(f'{file} has {mask.shape[1]} x {mask.shape[0]} pixels, its image '
                            f'{sample.image} {image.shape[1]} x {image.shape[0]}; fetch the '
                            'archives again')
        target = folder / 'annotations' / sample.split / f'{name}.png'
        target.parent.mkdir(parents=True, exist_ok=True)
        write_mask(target, mask, RetinaDataset.PALETTE)


def read_binary_mask(file: Member) -> np.ndarray:
    """A mask of two grey values as 0 and 1 [H, W] uint8, from any format that images have.

    The grey values of palettes (GIF) and single bits are 0 and 255; some masks have others, of
    which those from 128 on count as 255. Raises DataError where there is none of these.
    """
    grey = imfrombytes(_content(file), 'grayscale', backend='pillow', name=str(file))
    if grey.max() < 128:
        raise DataError(f'{file}: a mask is white where vessels are, but this one has grey values '
                        f'from {grey.min()} to {grey.max()}; fetch the archive again')
    return (grey >= 128).astype(np.uint8)


def _content(file: Member) -> bytes:
    """The bytes of a file, which may be compressed by gzip."""
    content = file.read()
    if not file.name.lower().endswith('.gz'):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f'{file} cannot be unpacked: {error}; fetch the archive again') from error
