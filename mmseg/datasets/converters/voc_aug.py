"""Convert the Semantic Boundaries Dataset (SBD) to additional training data of Pascal VOC 2012.

SBD (Hariharan et al., Semantic contours from inverse detectors, ICCV 2011) annotates VOC images
in MATLAB files. They become indexed PNG masks, with two lists of images to train on:
`trainaug.txt` (VOC's train list, and all images of SBD that are not in VOC's val list) and
`aug.txt` (trainaug without VOC's train list).
"""
from functools import partial
from pathlib import Path

import numpy as np

from mmcv_replace.utils import track_parallel_progress
from mmcv_replace.utils.errors import DataError
from mmseg.core.utils import voc_colormap

from .completeness import warn_of_subset
from .masks import write_mask
from .mat_files import need_scipy, read_label_map
from .staging import read_names, staged, write_names

# Number of names in the lists that the complete archives result in.
FULL_COUNTS = {'trainaug': 10582, 'aug': 9118}
LAYOUT = '''expected:
  DEVKIT/VOC2012/ImageSets/Segmentation/{train,val}.txt
  AUG/dataset/cls/*.mat
  AUG/dataset/{train,val}.txt     (the folder 'dataset' of SBD's archive benchmark_RELEASE)'''


def convert_voc_aug(devkit: str | Path, aug: str | Path, out_dir: str | Path | None = None,
                    nproc: int = 1) -> dict[str, int]:
    """Write the masks, all or nothing, and the lists; returns the number of names in each list.

    `devkit` holds VOC2012, `aug` is SBD's folder `dataset` or one of the two above it. Masks go
    to `out_dir` (by default `devkit/VOC2012/SegmentationClassAug`). Running it again overwrites
    them. Raises ConfigError without scipy, DataError where files are missing or damaged.
    """
    need_scipy('SBD')
    voc = Path(devkit, 'VOC2012')
    sbd = find_sbd(aug)
    lists = voc / 'ImageSets' / 'Segmentation'
    train, val, sbd_train, sbd_val = (
        set(read_names(folder / f'{name}.txt', LAYOUT))
        for folder in (lists, sbd) for name in ('train', 'val'))
    sbd_names = sbd_train | sbd_val
    trainaug = train | (sbd_names - val)
    names = {'trainaug': trainaug, 'aug': trainaug - train}

    mat_files = sorted((sbd / 'cls').glob('*.mat'))
    missing = sorted(names['aug'] - {file.stem for file in mat_files})
    if missing:
        raise DataError(f'{sbd / "cls"} lacks the .mat files of {len(missing)} listed names: '
                        f'{", ".join(missing[:3])}{", ..." if len(missing) > 3 else ""}; unpack '
                        f'the archive again\n{LAYOUT}')
    out_dir = voc / 'SegmentationClassAug' if out_dir is None else out_dir
    with staged(out_dir) as folder:
        # Never in this process: the reader may crash on a damaged file.
        track_parallel_progress(partial(convert_mat, out_dir=folder), mat_files, nproc)
    for name, members in names.items():
        write_names(lists / f'{name}.txt', members)
    counts = {name: len(members) for name, members in names.items()}
    warn_of_subset(counts, FULL_COUNTS, 'names')
    return counts


def find_sbd(aug: str | Path) -> Path:
    """The folder with `cls`: `aug` itself, its `dataset` or its `benchmark_RELEASE/dataset`."""
    for folder in (Path(aug, 'dataset'), Path(aug), Path(aug, 'benchmark_RELEASE', 'dataset')):
        if (folder / 'cls').is_dir():
            return folder
    raise DataError(f"no SBD annotations below {str(aug)!r}: there is no folder 'cls'\n{LAYOUT}")


def read_mat(path: str | Path) -> np.ndarray:
    """Label map [H, W] uint8 from the field GTcls.Segmentation of an SBD file.

    Raises DataError where the file does not hold one.
    """
    return read_label_map(path, 'GTcls.Segmentation', 'SBD')


def convert_mat(path: Path, out_dir: Path) -> None:
    """Write the mask of one SBD file as `out_dir/NAME.png`."""
    write_mask(out_dir / f'{path.stem}.png', read_mat(path), voc_colormap())
