"""Frames of the size of Cityscapes', made of smaller images."""
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmseg.core.evaluation.class_names import get_classes
from mmseg.core.utils import write_palette_png

FRAME = (2048, 1024)  # width, height
CROP = (512, 1024)  # height, width
FRAME_CLASSES = list(get_classes('cityscapes'))
JPEG_QUALITY = 90


def write_frames(voc: Path, folder: Path, count: int) -> None:
    """Enlarge `count` images and masks of a folder in VOC layout to `folder/img`, `folder/ann`."""
    masks = sorted((voc / 'SegmentationClass').glob('*.png'))[:count]
    for part in ('img', 'ann'):
        (folder / part).mkdir(parents=True)
    for mask in masks:
        image = cv2.imread(str(voc / 'JPEGImages' / f'{mask.stem}.jpg'))
        frame = cv2.resize(image, FRAME, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / 'img' / f'{mask.stem}.jpg'), frame,
                    [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        label = cv2.resize(np.array(Image.open(mask)), FRAME, interpolation=cv2.INTER_NEAREST)
        label[(label != 255) & (label >= len(FRAME_CLASSES))] = 0
        write_palette_png(folder / 'ann' / mask.name, label)


def frame_pipeline() -> list[dict]:
    """The training pipeline of the reference's Cityscapes configs."""
    return [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='Resize', img_scale=FRAME, ratio_range=(0.5, 2.0)),
        dict(type='RandomCrop', crop_size=CROP, cat_max_ratio=0.75),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PhotoMetricDistortion'),
        dict(type='Normalize', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
             to_rgb=True),
        dict(type='Pad', size=CROP, pad_val=0, seg_pad_val=255),
        dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_semantic_seg']),
    ]
