"""Look at samples: at each image, each mask, and whether they fit together."""
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from mmcv_replace.image.formats.tiff import BANDS
from mmcv_replace.image.io import STORED
from mmcv_replace.utils.error_origin import is_dead_worker
from mmcv_replace.utils.errors import DataError, UserError

from ..loader.workers import ShieldedLoader, start_worker
from .files import read_file
from .findings import Diagnosis, Sample
from .image_facts import ImageFacts, read_facts
from .masks import examine_mask
from .source import Source

CHUNK = 16  # samples that a process returns at once


def scan(items: Dataset, nproc: int = 1) -> Iterator[Any]:
    """The items of a data set in their order; with nproc=1 this process makes them.

    Raises UserError where a process dies, for lack of memory for example.
    """
    loader = ShieldedLoader(
        items, batch_size=CHUNK, num_workers=nproc if nproc > 1 else 0,
        collate_fn=list, worker_init_fn=start_worker,
        # A generator of its own: a scan before a training takes nothing from the global one.
        generator=torch.Generator())
    try:
        for chunk in loader:
            yield from chunk
    except RuntimeError as error:
        if not is_dead_worker(error):
            raise
        raise UserError(f'a process of the scan died, often for want of memory: use fewer than '
                        f'--nproc {nproc} ({str(error).splitlines()[0]})') from error


class Examiner(Dataset):
    """The diagnoses of samples, as a data set: torch's loader computes them in parallel."""

    def __init__(self, sources: list[Source], samples: Sequence[Sample]) -> None:
        self.sources = sources
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, position: int) -> Diagnosis:
        sample = self.samples[position]
        source, index = self.sources[sample[0]], sample[1]
        found = Diagnosis(sample, source.split)
        image_file, mask_file = source.image_file(index), source.mask_file(index)
        image = _examine_image(image_file, source, found)
        size = None if mask_file is None else examine_mask(mask_file, source, found)
        if image is not None:
            _check_channels(image_file, image[1], source, found)
            _compare(image_file, *image, mask_file, size, source, found)
        return found


def _examine_image(path: str, source: Source,
                   found: Diagnosis) -> tuple[tuple[int, int], ImageFacts] | None:
    """Size [height, width] as loaded, and facts; None where the image is bad or only its existence
    is checked.
    """
    content = read_file(path, source.image, found)
    if content is None:
        return None
    found.digest = hashlib.blake2b(content, digest_size=16).digest()
    try:
        image = source.image.decode(content, path)
    except DataError as error:
        found.add_error(path, error)
        return None
    if image.dtype.kind == 'f':
        _check_finite(path, image, found)
    return image.shape[:2], read_facts(content) or ImageFacts(image.shape[:2])


def _check_finite(path: str, image: np.ndarray, found: Diagnosis) -> None:
    bad = int(np.count_nonzero(~np.isfinite(image)))
    if bad:
        found.add('not-finite', path, f'{bad:,} of {image.size:,} values')


def _check_channels(path: str, facts: ImageFacts, source: Source, found: Diagnosis) -> None:
    kept = source.image.color_type in STORED
    if facts.bits > 8 and not kept:
        found.add('bit-depth', path, f'{facts.bits} bits')
    if facts.grey and source.image.color_type != BANDS:
        found.add('grey', path, '')
    elif facts.channels != 'RGB' and not kept:
        found.add('channels', path, facts.channels)


def _compare(path: str, image: tuple[int, int], facts: ImageFacts, mask_path: str | None,
             mask: tuple[int, int] | None, source: Source, found: Diagnosis) -> None:
    """Compare the sizes of image and mask, also where an EXIF tag turns the image."""
    # These color_types ignore EXIF tags.
    turned = facts.orientation != 1 and source.image.color_type not in STORED
    certain = mask is None or (facts.turned and facts.size[0] != facts.size[1])
    if mask is None or mask == image:
        if turned:
            found.add('exif' if certain else 'exif-unsure', path,
                      f'orientation {facts.orientation}')
        return
    sizes = (f'the mask is {mask[0]} x {mask[1]} (height x width), the image '
             f'{image[0]} x {image[1]}')
    if turned and facts.turned and mask == facts.size:
        found.add('exif-mask', path, f'{sizes} after its EXIF orientation {facts.orientation}')
    else:
        found.add('size-mismatch', mask_path, sizes)
