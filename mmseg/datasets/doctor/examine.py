"""Look at one sample: its image, its mask, and whether they fit."""
import hashlib
from dataclasses import dataclass, field

import numpy as np

from mmcv_replace.image import imfrombytes
from mmcv_replace.utils.errors import DataError

from ..annotation import count_labels, lossy_format
from .files import BadFile, FileReader, kind_of
from .image_facts import ImageFacts, read_facts
from .masks import find_faults, read_mask
from .source import Source, exists


@dataclass
class Diagnosis:
    """What one sample is like. `sample` is (source, index); findings are (kind, file, detail).

    `values` are those in the mask's file, ascending, and `counts` how many pixels have each.
    `lossy` is the format of the file where it is one that changes values.
    """

    sample: tuple[int, int]
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    digest: bytes | None = None
    values: np.ndarray | None = None
    counts: np.ndarray | None = None
    lossy: str | None = None


@dataclass(frozen=True)
class _Image:
    size: tuple[int, int]  # [height, width] as loaded
    facts: ImageFacts | None


class Examiner:
    """Maps a sample, (source, index), to its diagnosis; works in any process."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self._reader = FileReader()

    def examine(self, sample: tuple[int, int]) -> Diagnosis:
        """Read the files of a sample and look at them."""
        source = self.sources[sample[0]]
        found = Diagnosis(sample)
        image = self._image(source, sample[1], found)
        size = self._mask(source, sample[1], found)
        if image is not None:
            path = source.image_file(sample[1])
            found.findings += [(kind, path, detail) for kind, detail in _looks(image, source)]
            mask_path = source.mask_file(sample[1])
            found.findings += [(kind, path if kind.startswith('exif') else mask_path, detail)
                               for kind, detail in _compare(image, size, source)]
        return found

    def _image(self, source: Source, index: int, found: Diagnosis) -> _Image | None:
        path = source.image_file(index)
        try:
            if not source.image.known:
                _seek(path)
                return None
            content = self._reader.read(path, source.image)
            found.digest = hashlib.blake2b(content, digest_size=16).digest()
            try:
                image = imfrombytes(content, source.image.flag, backend=source.image.backend,
                                    name=path)
            except DataError as error:
                raise BadFile(kind_of(error), str(error).removeprefix(f'{path}: ')) from error
        except BadFile as bad:
            found.findings.append((bad.kind, path, bad.detail))
            return None
        return _Image(image.shape[:2], read_facts(content))

    def _mask(self, source: Source, index: int, found: Diagnosis) -> tuple[int, int] | None:
        """The size of the mask, where there is a good one."""
        path = source.mask_file(index)
        if path is None:
            return None
        try:
            if not source.mask.known:
                _seek(path)
                return None
            content = self._reader.read(path, source.mask)
            label = read_mask(content, path, source)
        except BadFile as bad:
            found.findings.append((bad.kind, path, bad.detail))
            return None
        found.values, found.counts = count_labels(label)
        found.lossy = lossy_format(content)
        if found.lossy is not None:
            found.findings.append(('lossy-mask', path, found.lossy))
        found.findings += [(kind, path, detail) for kind, detail
                           in find_faults(found.values, found.counts, source)]
        return label.shape


def _seek(path: str) -> None:
    if not exists(path):
        raise BadFile('missing', '')


def _looks(image: _Image, source: Source) -> list[tuple[str, str]]:
    facts, kept = image.facts, source.image.flag == 'unchanged'
    if facts is None:
        return []
    findings = []
    if facts.bits > 8 and not kept:
        findings.append(('bit-depth', f'{facts.bits} bits'))
    if facts.grey:
        findings.append(('grey', ''))
    elif facts.channels != 'RGB' and not kept:
        findings.append(('channels', facts.channels))
    return findings


def _compare(
    image: _Image, mask: tuple[int, int] | None, source: Source
) -> list[tuple[str, str]]:
    """Do the sizes of image and mask agree, and what has EXIF to do with it."""
    facts = image.facts
    turned = (facts is not None and facts.orientation != 1
              and source.image.flag != 'unchanged')  # which heeds no EXIF tag
    if mask is None:
        return [('exif', f'orientation {facts.orientation}')] if turned else []
    if mask != image.size:
        sizes = (f'the mask is {mask[0]} x {mask[1]} (height x width), the image '
                 f'{image.size[0]} x {image.size[1]}')
        if turned and facts.turned and mask == facts.size:
            return [('exif-mask', f'{sizes} after its EXIF orientation {facts.orientation}')]
        return [('size-mismatch', sizes)]
    if not turned:
        return []
    certain = facts.turned and facts.size[0] != facts.size[1]
    return [('exif' if certain else 'exif-unsure', f'orientation {facts.orientation}')]
