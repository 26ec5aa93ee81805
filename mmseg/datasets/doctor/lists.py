"""Images that are in too many lists, within a split or for training and evaluation, or in none."""
import os
from collections import defaultdict
from collections.abc import Iterator

from mmcv_replace.utils import scandir

from ..listing.file_list import is_remote
from .findings import Finding, Sample
from .source import Source


def find_unlisted(sources: list[Source]) -> Iterator[Finding]:
    """Findings for unlisted files with the suffix of the images, in upper or lower case."""
    together: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        folder, suffix = source.dataset.img_dir, source.dataset.img_suffix
        if not is_remote(folder):
            together[os.path.normpath(folder), suffix].append(source)
    for (folder, suffix), members in together.items():
        listed = {info['filename'] for source in members for info in source.dataset.img_infos}
        for name in scandir(folder, suffix, recursive=True, case_sensitive=False):
            path = os.path.join(folder, name)
            if name in listed:
                continue
            if name.endswith(suffix):
                yield Finding('unlisted', members[0].split, path, '')
            elif name[:-len(suffix)] + suffix not in listed:
                yield Finding('suffix-case', members[0].split, path,
                              f'ends with {name[-len(suffix):]}, not with {suffix}')


def find_shared_files(sources: list[Source]) -> Iterator[Finding]:
    """Findings for paths that are listed for training and also for validation or test."""
    tested = {source.image_file(index): source.split for source in sources
              if source.split != 'train' for index in range(len(source))}
    for number, source in enumerate(sources):
        for index in range(len(source)) if source.split == 'train' and tested else ():
            file = source.image_file(index)
            if file in tested:
                yield Finding('leak', 'train', file, f'is in {tested[file]} too', (number, index))


class Duplicates:
    """Finds equal images by the hash of their files."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self._first: dict[str, dict[bytes, Sample]] = {}  # split -> hash -> its first sample

    def add(self, sample: Sample, digest: bytes) -> Iterator[Finding]:
        """Findings for one more image; val and test may share images, train may not."""
        split = self.sources[sample[0]].split
        first = self._first.setdefault(split, {}).setdefault(digest, sample)
        if first != sample:
            yield self._finding('duplicate', sample, first)
            return
        for other, seen in self._first.items():
            if other != split and 'train' in (split, other) and digest in seen:
                train, tested = (sample, seen[digest]) if split == 'train' else (
                    seen[digest], sample)
                yield self._finding('leak', train, tested)

    def _finding(self, kind: str, sample: Sample, other: Sample) -> Finding:
        here, there = (self.sources[source].image_file(index) for source, index in (sample, other))
        where = self.sources[other[0]].split
        if kind == 'duplicate':
            detail = 'listed again' if here == there else f'has the content of {there}'
        else:
            detail = (f'is in {where} too' if here == there
                      else f'has the content of {there} ({where})')
        return Finding(kind, self.sources[sample[0]].split, here, detail, sample)
