"""Cityscapes: the polygons of gtFine (or gtCoarse), drawn as masks of train ids.

Each NAME_gtFine_polygons.json gets a NAME_gtFine_labelTrainIds.png beside it, with the pixels that
json2labelImg of cityscapesscripts gives. Lists of the names are written for each split.
"""
import re
from functools import partial
from pathlib import Path

from mmcv_replace.fileio import load
from mmcv_replace.utils import scandir, track_parallel_progress
from mmcv_replace.utils.errors import ConfigError, MissingDataError

from .cityscapes_polygons import draw_polygons
from .completeness import warn_of_subset
from .staging import staged, write_names

SUFFIX = '_polygons.json'
FULL_COUNTS = {'gtFine': {'train': 2975, 'val': 500, 'test': 1525}}
LAYOUT = '''expected:
  CITYSCAPES/gtFine/{train,val,test}/CITY/*_gtFine_polygons.json   (gtFine_trainvaltest.zip)
  CITYSCAPES/leftImg8bit/{train,val,test}/CITY/*_leftImg8bit.png   (leftImg8bit_trainvaltest.zip)'''


def convert_cityscapes(root: str | Path, gt_dir: str = 'gtFine', out_dir: str | Path | None = None,
                       nproc: int = 1) -> dict[str, int]:
    """Write the masks beside the polygons, all or nothing, and SPLIT.txt to `out_dir` (`root`).

    The lines of a list are CITY/NAME. Returns the number of names in each. Raises DataError for a
    file that does not hold polygons of Cityscapes' labels, MissingDataError where there is none.
    """
    folder = Path(root, gt_dir)
    names = list(scandir(folder, SUFFIX, recursive=True)) if folder.is_dir() else []
    if not names:
        raise MissingDataError(f'there is no *{SUFFIX} below {folder}; correct the folder or '
                               f'--gt-dir\n{LAYOUT}')
    _check_out_dir(out_dir)
    with staged(folder, 'copy the polygons to a folder of yours') as stage:
        track_parallel_progress(partial(convert_polygons, folder=folder, out_dir=stage), names,
                                nproc)
    lists = list_splits(names)
    for split, members in lists.items():
        write_names(Path(root if out_dir is None else out_dir, f'{split}.txt'), members)
    counts = {split: len(members) for split, members in lists.items()}
    warn_of_subset(counts, FULL_COUNTS.get(folder.name, {}), 'images')
    return counts


def _check_out_dir(out_dir: str | Path | None) -> None:
    """Before the work is done that would be lost."""
    if out_dir is not None and Path(out_dir).exists() and not Path(out_dir).is_dir():
        raise ConfigError(f'-o {out_dir} is a file: give the folder for the lists')


def list_splits(names: list[str]) -> dict[str, list[str]]:
    """Split -> names CITY/NAME of its images, from the paths of polygons below gtFine."""
    lists: dict[str, list[str]] = {}
    for path in names:
        split, _, name = path.partition('/')
        lists.setdefault(split, []).append(re.sub(rf'(_gt[A-Za-z]+)?{SUFFIX}$', '', name))
    return lists


def convert_polygons(name: str, folder: Path, out_dir: Path) -> None:
    """Draw the polygons of `folder/name` to the PNG of the same place in `out_dir`."""
    target = out_dir / f'{name.removesuffix(SUFFIX)}_labelTrainIds.png'
    target.parent.mkdir(parents=True, exist_ok=True)
    path = folder / name
    draw_polygons(load(path), str(path)).save(target)
