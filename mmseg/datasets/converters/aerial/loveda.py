"""Convert LoveDA to the folders that its config expects.

Source: Wang et al., LoveDA: A Remote Sensing Land-Cover Dataset for Domain Adaptive Semantic
Segmentation, NeurIPS 2021 data sets, https://doi.org/10.5281/zenodo.5706578
"""
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmcv_replace.utils import track_parallel_progress
from mmcv_replace.utils.errors import DataError
from mmseg.datasets.loveda import LoveDADataset
from mmseg.datasets.masks.annotation import count_labels, decode_label, listing

from ..archives import Member, unpack_folder
from ..completeness import check_split, warn_of_subset
from ..finding import Key, find_files
from ..staging import staged

# Of masks: 0 is no data.
LABELS = range(len(LoveDADataset.CLASSES) + 1)
PATTERNS = dict(image=r'(train|val|test)/(rural|urban)/images_png/(\d+)\.png',
                label=r'(train|val)/(rural|urban)/masks_png/(\d+)\.png')
FULL_COUNTS = dict(train=2522, val=1669, test=1796)
LAYOUT = '''expected, packed or unpacked:
  Train.zip     Train/{Rural,Urban}/{images_png,masks_png}/*.png
  Val.zip       Val/{Rural,Urban}/{images_png,masks_png}/*.png
  Test.zip      Test/{Rural,Urban}/images_png/*.png     (if you like)'''


@dataclass(frozen=True, repr=False)
class Sample:
    """An image, and its mask where it has one."""

    name: str
    split: str
    image: Member
    label: Member | None

    def __repr__(self) -> str:
        return str(self.image)


def convert_loveda(dataset_path: str | Path, out_dir: str | Path = 'data/loveDA',
                   tmp_dir: str | Path | None = None, nproc: int = 1) -> dict[str, int]:
    """Copy images and masks of town and country to a folder a split; returns their numbers.

    Archives in archives are unpacked to `tmp_dir` (by default to a folder in `out_dir`), and
    deleted then. Raises DataError for archives, files and labels that cannot be used; then
    `out_dir` is as before.
    """
    with staged(out_dir) as folder, unpack_folder(tmp_dir, folder) as unpack_to:
        samples = find_samples(dataset_path, unpack_to)
        for kind, split in {(kind, sample.split) for sample in samples for kind in (
                'img_dir', *(() if sample.label is None else ('ann_dir',)))}:
            (folder / kind / split).mkdir(parents=True, exist_ok=True)
        track_parallel_progress(partial(copy_sample, folder=folder), samples, nproc)
    counts = dict(Counter(sample.split for sample in samples))
    warn_of_subset(counts, FULL_COUNTS, 'images')
    return counts


def find_samples(source: str | Path, unpack_to: Path) -> list[Sample]:
    """What is there; DataError where masks or a split are missing, or a name is there twice."""
    found = find_files(source, PATTERNS, r'(train|val|test)\.zip$', unpack_to)
    images, labels = _by_split(found['image']), _by_split(found['label'])
    for split in ('train', 'val'):
        here = [name for place, name in images if place == split]
        missing = [name for name in here if (split, name) not in labels]
        check_split(source, split, here, missing, LAYOUT)
    return [Sample(name, split, image, labels.get((split, name)))
            for part in FULL_COUNTS for (split, name), image in images.items() if split == part]


def _by_split(found: Mapping[Key, Member]) -> dict[tuple[str, str], Member]:
    """Files by split and name, which town and country must not share."""
    members: dict[tuple[str, str], Member] = {}
    for (split, _, name), member in found.items():
        first = members.setdefault((split.lower(), name), member)
        if first != member:
            raise DataError(f'{first} and {member} have the same name, but come to one folder: '
                            'fetch the archives again')
    return members


def copy_sample(sample: Sample, folder: Path) -> None:
    """Copy an image, and its mask if that holds nothing but classes."""
    (folder / 'img_dir' / sample.split / f'{sample.name}.png').write_bytes(sample.image.read())
    if sample.label is None:
        return
    content = sample.label.read()
    values, counts = count_labels(decode_label(content, str(sample.label)))
    wrong = (values < 0) | (values > LABELS[-1])
    if wrong.any():
        raise DataError(f'{sample.label}: {counts[wrong].sum() / counts.sum():.2%} of the pixels '
                        f'hold {listing(values[wrong])}, but the classes are 1 to {LABELS[-1]}, '
                        'and 0 is no data: fetch the archive again')
    (folder / 'ann_dir' / sample.split / f'{sample.name}.png').write_bytes(content)
