"""Images of the size of Cityscapes', enlarged from smaller ones."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from mmseg.core.evaluation.class_names import get_classes
from mmseg.core.utils import write_palette_png

FRAME = (2048, 1024)  # width, height
CROP = (512, 1024)  # height, width
SIZES = {
    'Resize': dict(img_scale=FRAME), 'RandomCrop': dict(crop_size=CROP), 'Pad': dict(size=CROP)}
FRAME_CLASSES = list(get_classes('cityscapes'))


def write_frames(voc: Path, folder: Path, count: int) -> None:
    """Enlarge `count` images and masks of a folder in VOC layout to `folder/img`, `folder/ann`."""
    masks = sorted((voc / 'SegmentationClass').glob('*.png'))[:count]
    for part in ('img', 'ann'):
        (folder / part).mkdir(parents=True)
    for mask in masks:
        image = cv2.imread(str(voc / 'JPEGImages' / f'{mask.stem}.jpg'))
        frame = cv2.resize(image, FRAME, interpolation=cv2.INTER_CUBIC)
        file = folder / 'img' / f'{mask.stem}.jpg'
        cv2.imwrite(str(file), frame, [cv2.IMWRITE_JPEG_QUALITY, 90])
        label = cv2.resize(np.array(Image.open(mask)), FRAME, interpolation=cv2.INTER_NEAREST)
        label[(label != 255) & (label >= len(FRAME_CLASSES))] = 0
        write_palette_png(folder / 'ann' / mask.name, label)


def frame_pipeline(steps: Sequence[Mapping[str, Any]]) -> list[dict]:
    """The steps of a training pipeline with the sizes of the reference's Cityscapes configs."""
    return [{**step, **SIZES.get(step['type'], {})} for step in steps]
