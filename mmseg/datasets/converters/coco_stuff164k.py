"""Convert COCO-Stuff 164k, whose label maps are grey PNGs with gaps in their numbers, to masks."""
from functools import partial
from pathlib import Path

from mmcv_replace.utils import track_parallel_progress
from mmcv_replace.utils.errors import DataError
from mmseg.datasets.coco_stuff import COCOStuffDataset
from mmseg.datasets.masks.annotation import decode_label, listing

from .coco_stuff import SUFFIX, copy_image, label_table, number_labels
from .completeness import warn_of_subset
from .masks import write_mask
from .staging import staged

FULL_COUNTS = dict(train2017=118287, val2017=5000)
# 255 is no class in the label maps, and in the masks.
TABLE = label_table(first=0, void=255)
LAYOUT = '''expected:
  COCO_PATH/images/{train,val}2017/*.jpg           train2017.zip and val2017.zip of COCO
  COCO_PATH/annotations/{train,val}2017/*.png      stuffthingmaps_trainval2017.zip'''


def convert_coco_stuff164k(coco_path: str | Path, out_dir: str | Path | None = None,
                           nproc: int = 1) -> dict[str, int]:
    """Write masks to `out_dir`/annotations/SPLIT; returns the number of images in each split.

    `out_dir` is `coco_path` by default; where it is another folder, the images are copied too.
    Raises DataError for files that are missing or damaged; then `out_dir` is as before.
    """
    source = Path(coco_path)
    names = {split: _find_names(source, split) for split in FULL_COUNTS}
    out_dir = source if out_dir is None else Path(out_dir)
    with staged(out_dir) as folder:
        copies = out_dir.resolve() != source.resolve()
        for split in names:
            for kind in ('annotations', *(('images',) if copies else ())):
                (folder / kind / split).mkdir(parents=True)
        tasks = [(split, name) for split, listed in names.items() for name in listed]
        convert = partial(convert_sample, source=source, folder=folder, copies=copies)
        track_parallel_progress(convert, tasks, nproc, chunksize=16)
    counts = {split: len(listed) for split, listed in names.items()}
    warn_of_subset(counts, FULL_COUNTS, 'images')
    return counts


def _find_names(source: Path, split: str) -> list[str]:
    """The names of label maps, each of which must have an image."""
    labels = {path.stem for path in (source / 'annotations' / split).glob('*.png')
              if not path.name.endswith(SUFFIX)}
    images = {path.stem for path in (source / 'images' / split).glob('*.jpg')}
    if not labels:
        raise DataError(f'{source / "annotations" / split} holds no label maps\n{LAYOUT}')
    for missing, kind, suffix in ((sorted(labels - images), 'images', '.jpg'),
                                  (sorted(images - labels), 'annotations', '.png')):
        if missing:
            raise DataError(f'{source / kind / split} lacks {len(missing)} files: '
                            f'{listing([name + suffix for name in missing])}\n{LAYOUT}')
    return sorted(labels)


def convert_sample(task: tuple[str, str], source: Path, folder: Path, copies: bool) -> None:
    """Write the mask of a split and a name, and copy the image if asked for."""
    split, name = task
    file = source / 'annotations' / split / f'{name}.png'
    labels = decode_label(file.read_bytes(), str(file))
    write_mask(folder / 'annotations' / split / f'{name}{SUFFIX}',
               number_labels(labels, TABLE, file), COCOStuffDataset.PALETTE)
    if copies:
        copy_image(source / 'images' / split / f'{name}.jpg', folder / 'images' / split)
