"""Pascal Context: the masks of PASCAL in Detail (trainval_merged.json) for images of VOC 2010.

The file holds, for each region of an image, a category and a run-length encoded mask. It is read
directly: the package of its authors is on no package index.
"""
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmcv_replace.fileio import load
from mmcv_replace.image.limits import check_pixels
from mmcv_replace.utils import path_inside, track_parallel_progress
from mmcv_replace.utils.errors import DataError, MissingDataError
from mmseg.datasets.importers.raster.rle import coco_rle
from mmseg.datasets.pascal_context import PascalContextDataset

from .completeness import warn_of_subset
from .masks import write_mask
from .staging import staged, write_names

# The categories of the classes, in their order: the background, then 59 of 459 categories.
CATEGORIES = (
    0, 2, 9, 18, 19, 22, 23, 25, 31, 33, 34, 44, 45, 46, 59, 65, 68, 72, 80, 85, 98, 104, 105, 113,
    115, 144, 158, 159, 162, 187, 189, 207, 220, 232, 258, 259, 260, 284, 295, 296, 308, 324, 326,
    347, 349, 354, 355, 360, 366, 368, 397, 415, 416, 420, 424, 427, 440, 445, 454, 458)
CLASSES = {category: number for number, category in enumerate(CATEGORIES)}
SPLITS = ('train', 'val')
FULL_COUNTS = {'train': 4998, 'val': 5105}
LAYOUT = '''expected:
  DEVKIT/VOC2010/JPEGImages/*.jpg        (the train/val archive of VOC 2010)
  JSON                                   (trainval_merged.json of PASCAL in Detail)'''


class Picture(NamedTuple):
    """An image of the file and its regions, in their order: (category, encoded mask)."""

    file: str
    height: int
    width: int
    regions: list[tuple[int, Any]]


def convert_pascal_context(devkit: str | Path, json_path: str | Path,
                           out_dir: str | Path | None = None, nproc: int = 1) -> dict[str, int]:
    """Write a mask of class indices for each image, all or nothing, and the lists of both splits.

    Masks go to `out_dir` (by default `devkit/VOC2010/SegmentationClassContext`), the lists to
    `devkit/VOC2010/ImageSets/SegmentationContext`. Returns the number of names in each. Raises
    DataError for a file of another form, MissingDataError for missing folders.
    """
    voc = Path(devkit, 'VOC2010')
    if not (voc / 'JPEGImages').is_dir():
        raise MissingDataError(f'{voc} has no folder JPEGImages\n{LAYOUT}')
    splits = read_pictures(json_path)
    out_dir = voc / 'SegmentationClassContext' if out_dir is None else out_dir
    with staged(out_dir) as folder:
        track_parallel_progress(
            partial(convert_picture, folder=folder, json_path=json_path),
            [picture for pictures in splits.values() for picture in pictures], nproc)
    for split, pictures in splits.items():
        write_names(voc / 'ImageSets' / 'SegmentationContext' / f'{split}.txt',
                    (Path(picture.file).stem for picture in pictures))
    counts = {split: len(pictures) for split, pictures in splits.items()}
    warn_of_subset(counts, FULL_COUNTS, 'images')
    return counts


def read_pictures(json_path: str | Path) -> dict[str, list[Picture]]:
    """Split -> its images, with their regions; DataError for a file of another form."""
    data = load(json_path, 'json')
    try:
        regions = defaultdict(list)
        for region in data['annos_segmentation']:
            regions[region['image_id']].append((region['category_id'], region['segmentation']))
        return {split: [
            _picture(image, regions[image['image_id']])
            for image in data['images'] if image['phase'] == split] for split in SPLITS}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f'{json_path} is no annotation file of PASCAL in Detail '
                        f'({type(error).__name__}: {error}); fetch trainval_merged.json again'
                        ) from error


def _picture(image: dict[str, Any], regions: list[tuple[int, Any]]) -> Picture:
    file, height, width = image['file_name'], image['height'], image['width']
    if not isinstance(file, str) or not all(
            isinstance(side, int) and side > 0 for side in (height, width)):
        raise ValueError(f'{file!r} of {width!r} x {height!r} pixels is no image')
    check_pixels(width, height)
    return Picture(file, height, width, regions)


def convert_picture(picture: Picture, folder: Path, json_path: str | Path) -> None:
    """Write the mask of an image as NAME.png; later regions cover earlier ones."""
    place = f'{json_path}: {picture.file}'
    mask = np.zeros((picture.height, picture.width), np.uint8)
    for category, segmentation in picture.regions:
        if not isinstance(category, int) or category not in CLASSES:
            raise DataError(f'{place} has a region of the category {category!r}, which is none of '
                            'the 59 classes; fetch trainval_merged.json again')
        mask[_region(segmentation, mask.shape, place)] = CLASSES[category]
    write_mask(path_inside(folder, f'{Path(picture.file).stem}.png'), mask,
               PascalContextDataset.PALETTE)


def _region(segmentation: object, size: tuple[int, int], place: str) -> np.ndarray:
    """The mask of a region, bool [H, W]."""
    if not isinstance(segmentation, dict):
        raise DataError(f'{place} has a region that is no run-length encoded mask, dict(size=..., '
                        'counts=...); fetch trainval_merged.json again')
    try:
        return coco_rle(segmentation, size)
    except DataError as error:
        raise DataError(f'{place}, a region: {error}; fetch trainval_merged.json again') from error
