"""Look at one sample: its image, its mask, and whether they fit together."""
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.image import imfrombytes
from mmcv_replace.utils.errors import DataError

from ..annotation import count_labels, lossy_format
from .files import BadFile, FileReader
from .findings import Finding, Sample
from .image_facts import ImageFacts, read_facts
from .masks import find_faults, read_mask
from .source import Source


@dataclass
class Diagnosis:
    """The findings of one sample and what tallies need of it.

    `digest` is the hash of the image file. `values` [V] are those in the mask file, ascending, and
    `counts` [V] how many pixels have each; None without a readable mask. `lossy` is the format of
    the mask file where it is one that changes values.
    """

    sample: Sample
    split: str
    findings: list[Finding] = field(default_factory=list)
    digest: bytes | None = None
    values: np.ndarray | None = None
    counts: np.ndarray | None = None
    lossy: str | None = None

    def add(self, kind: str, file: str, detail: str) -> None:
        self.findings.append(Finding(kind, self.split, file, detail, self.sample))


class Examiner(Dataset):
    """The diagnoses of samples, as a data set: torch's loader computes them in parallel."""

    def __init__(self, sources: list[Source], samples: Sequence[Sample]) -> None:
        self.sources = sources
        self.samples = samples
        self._reader = FileReader()

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, position: int) -> Diagnosis:
        sample = self.samples[position]
        source, index = self.sources[sample[0]], sample[1]
        found = Diagnosis(sample, source.split)
        image_file, mask_file = source.image_file(index), source.mask_file(index)
        image = _try(self._image, image_file, source, found)
        size = None if mask_file is None else _try(self._mask, mask_file, source, found)
        if image is not None:
            for kind, detail in _looks(image[1], source):
                found.add(kind, image_file, detail)
            for kind, detail in _compare(*image, size, source):
                found.add(kind, image_file if kind.startswith('exif') else mask_file, detail)
        return found

    def _image(
        self, path: str, source: Source, found: Diagnosis
    ) -> tuple[tuple[int, int], ImageFacts] | None:
        """Size [height, width] as loaded, and facts; None where only its existence is checked."""
        content = self._reader.read(path, source.image)
        if content is None:
            return None
        found.digest = hashlib.blake2b(content, digest_size=16).digest()
        try:
            image = imfrombytes(content, source.image.flag, backend=source.image.backend,
                                name=path)
        except DataError as error:
            raise BadFile.because_of(error, path) from error
        return image.shape[:2], read_facts(content) or ImageFacts(image.shape[:2])

    def _mask(self, path: str, source: Source, found: Diagnosis) -> tuple[int, int] | None:
        """The size [height, width] of the mask; None where only its existence is checked."""
        content = self._reader.read(path, source.mask)
        if content is None:
            return None
        label = read_mask(content, path, source)
        found.values, found.counts = count_labels(label)
        found.lossy = lossy_format(content)
        if found.lossy is not None:
            found.add('lossy-mask', path, found.lossy)
        for kind, detail in find_faults(found.values, found.counts, source):
            found.add(kind, path, detail)
        return label.shape


def _try(look: Callable[..., Any], path: str, source: Source, found: Diagnosis) -> Any:
    """What `look` returns; None where the file is bad, which becomes a finding."""
    try:
        return look(path, source, found)
    except BadFile as bad:
        found.add(bad.kind, path, bad.detail)
        return None


def _looks(facts: ImageFacts, source: Source) -> Iterator[tuple[str, str]]:
    """Findings, (kind, detail) each, on the channels of an image."""
    kept = source.image.flag == 'unchanged'
    if facts.bits > 8 and not kept:
        yield 'bit-depth', f'{facts.bits} bits'
    if facts.grey:
        yield 'grey', ''
    elif facts.channels != 'RGB' and not kept:
        yield 'channels', facts.channels


def _compare(
    image: tuple[int, int], facts: ImageFacts, mask: tuple[int, int] | None, source: Source
) -> list[tuple[str, str]]:
    """Findings on the sizes of image and mask, and on an EXIF tag that turns the image."""
    # 'unchanged' ignores EXIF tags.
    turned = facts.orientation != 1 and source.image.flag != 'unchanged'
    if mask is None:
        return [('exif', f'orientation {facts.orientation}')] if turned else []
    if mask != image:
        sizes = (f'the mask is {mask[0]} x {mask[1]} (height x width), the image '
                 f'{image[0]} x {image[1]}')
        if turned and facts.turned and mask == facts.size:
            return [('exif-mask', f'{sizes} after its EXIF orientation {facts.orientation}')]
        return [('size-mismatch', sizes)]
    if not turned:
        return []
    certain = facts.turned and facts.size[0] != facts.size[1]
    return [('exif' if certain else 'exif-unsure', f'orientation {facts.orientation}')]
