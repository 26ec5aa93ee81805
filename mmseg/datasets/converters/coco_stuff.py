"""The numbers of COCO-Stuff's classes, of which the masks for training have no gaps.

Source: Caesar et al., COCO-Stuff: Thing and Stuff Classes in Context, CVPR 2018. Of the 182 numbers
11 are of kinds of things that COCO plans and never annotated.
"""
import shutil
from pathlib import Path

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.masks.annotation import count_labels, listing

# Counted from 1, as in COCO: street sign, hat, shoe, eye glasses, plate, mirror, window, desk,
# door, blender, hair brush.
NEVER_USED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)
LARGEST = 182
SUFFIX = '_labelTrainIds.png'
WRONG = -1


def label_table(first: int, void: int) -> np.ndarray:
    """What values of label maps become [256]: WRONG where they are neither a class nor `void`.

    `first` is the value of the first class, before and after. `void` stays.
    """
    used = [number for number in range(1, LARGEST + 1) if number not in NEVER_USED]
    table = np.full(256, WRONG)
    table[np.array(used) - 1 + first] = np.arange(len(used)) + first
    table[void] = void
    return table


def number_labels(labels: np.ndarray, table: np.ndarray, place: object) -> np.ndarray:
    """Label map [H, W] uint8 with the values of a table; DataError where one is WRONG."""
    values, counts = count_labels(labels)
    wrong = np.array([value > 255 or table[value] == WRONG for value in values.tolist()])
    if wrong.any():
        raise DataError(
            f'{place}: {counts[wrong].sum() / counts.sum():.2%} of the pixels hold '
            f'{listing(values[wrong])}, which no class of COCO-Stuff has: unpack the archive again')
    return table.astype(np.uint8)[labels]


def copy_image(image: Path, folder: Path) -> None:
    """Copy an image to a folder; DataError where it is missing."""
    try:
        shutil.copyfile(image, folder / image.name)
    except FileNotFoundError as error:
        raise DataError(f'{image} does not exist, but has annotations: unpack the archive of the '
                        'images again') from error
