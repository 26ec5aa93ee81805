"""Convert COCO-Stuff 10k (v1.1), whose annotations are MATLAB files, to masks."""
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmcv_replace.utils import track_parallel_progress
from mmcv_replace.utils.errors import DataError
from mmseg.datasets.coco_stuff import COCOStuffDataset
from mmseg.datasets.masks.annotation import listing

from .coco_stuff import SUFFIX, copy_image, label_table, number_labels
from .completeness import warn_of_subset
from .masks import write_mask
from .mat_files import need_scipy, read_label_map
from .staging import read_names, staged

FULL_COUNTS = dict(train=9000, test=1000)
LISTS = ('imageLists', 'imagesLists')  # the archive's name, and that in mmsegmentation's documents
# 0 is no class in the files, and in the masks.
TABLE = label_table(first=1, void=0)
LAYOUT = '''expected, as in cocostuff-10k-v1.1.zip:
  COCO_PATH/images/*.jpg
  COCO_PATH/annotations/*.mat
  COCO_PATH/imageLists/{train,test}.txt'''


def convert_coco_stuff10k(coco_path: str | Path, out_dir: str | Path | None = None,
                          nproc: int = 1) -> dict[str, int]:
    """Write images/SPLIT2014 and annotations/SPLIT2014 to `out_dir`; returns the numbers of images.

    `out_dir` is `coco_path` by default. Raises ConfigError without scipy, DataError for files that
    are missing or damaged; then `out_dir` is as before.
    """
    need_scipy('COCO-Stuff 10k')
    source = Path(coco_path)
    lists = next((source / name for name in LISTS if (source / name).is_dir()), source / LISTS[0])
    names = {split: [Path(name).stem for name in read_names(lists / f'{split}.txt', LAYOUT)]
             for split in FULL_COUNTS}
    for split, listed in names.items():
        _check_files(source, split, listed)
    with staged(source if out_dir is None else out_dir) as folder:
        for split in names:
            for kind in ('images', 'annotations'):
                (folder / kind / f'{split}2014').mkdir(parents=True)
        tasks = [(split, name) for split, listed in names.items() for name in listed]
        # Never in this process: the reader may crash on a damaged file.
        track_parallel_progress(
            partial(convert_sample, source=source, folder=folder), tasks, nproc)
    counts = {split: len(listed) for split, listed in names.items()}
    warn_of_subset(counts, FULL_COUNTS, 'images')
    return counts


def _check_files(source: Path, split: str, names: Sequence[str]) -> None:
    if not names:
        raise DataError(f'the list {split}.txt of {source} is empty\n{LAYOUT}')
    for kind, suffix in (('images', '.jpg'), ('annotations', '.mat')):
        here = {path.stem for path in (source / kind).glob(f'*{suffix}')}
        missing = [name for name in names if name not in here]
        if missing:
            raise DataError(f'{source / kind} lacks {len(missing)} files of {split}.txt: '
                            f'{listing([name + suffix for name in missing])}\n{LAYOUT}')


def convert_sample(task: tuple[str, str], source: Path, folder: Path) -> None:
    """Copy the image of a split and a name, and write its mask."""
    split, name = task
    annotation = source / 'annotations' / f'{name}.mat'
    labels = read_label_map(annotation, 'S', 'COCO-Stuff')
    write_mask(folder / 'annotations' / f'{split}2014' / f'{name}{SUFFIX}',
               number_labels(labels, TABLE, annotation), [(0, 0, 0), *COCOStuffDataset.PALETTE])
    copy_image(source / 'images' / f'{name}.jpg', folder / 'images' / f'{split}2014')
