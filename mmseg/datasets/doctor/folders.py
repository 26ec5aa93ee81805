"""Images in the folders of a data set that are in none of its lists."""
import os
from collections import defaultdict
from collections.abc import Iterator

from mmcv_replace.utils import scandir

from ..file_list import is_remote
from .findings import Finding
from .source import Source


def find_unlisted(sources: list[Source]) -> Iterator[Finding]:
    """Findings for unlisted files with the suffix of the images, in upper or lower case."""
    together: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        if not is_remote(source.img_dir):
            together[os.path.normpath(source.img_dir), source.img_suffix].append(source)
    for (folder, suffix), members in together.items():
        listed = {info['filename'] for source in members for info in source.infos}
        for name in scandir(folder, suffix, recursive=True, case_sensitive=False):
            if name in listed:
                continue
            path = os.path.join(folder, name)
            if name.endswith(suffix):
                yield Finding('unlisted', members[0].split, path, '')
            elif name[:-len(suffix)] + suffix not in listed:
                yield Finding('suffix-case', members[0].split, path,
                              f'ends with {name[-len(suffix):]}, not with {suffix}')
