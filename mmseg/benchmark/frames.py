"""Images of the sizes of other data sets, made of smaller ones."""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from mmseg.core.evaluation.class_names import get_classes
from mmseg.core.utils import write_palette_png

IGNORED = 255
VOC_CLASSES = 21


@dataclass(frozen=True)
class Frames:
    """What the files of a data set are like: sizes are (width, height), `crop` (height, width).

    A frame is made of `tiles` = (columns, rows) enlarged images, whose classes differ.
    """

    size: tuple[int, int]
    classes: str
    scale: tuple[int, int]
    crop: tuple[int, int]
    tiles: tuple[int, int] = (1, 1)
    suffix: str = '.jpg'
    # Options of `cv2.imwrite`, and of the data set.
    encoding: Sequence[int] = (cv2.IMWRITE_JPEG_QUALITY, 90)
    settings: Mapping[str, Any] = field(default_factory=dict)


FRAMES = {
    'cityscapes-train': Frames((2048, 1024), 'cityscapes', (2048, 1024), (512, 1024)),
    # In the format of the real files, and with about as many bytes: 2.3 MB.
    'cityscapes-png-train': Frames(
        (2048, 1024), 'cityscapes', (2048, 1024), (512, 1024), tiles=(2, 1), suffix='.png',
        encoding=(cv2.IMWRITE_PNG_COMPRESSION, 6), settings=dict(img_suffix='.png')),
    'ade-train': Frames((683, 512), 'ade20k', (2048, 512), (512, 512), tiles=(2, 2),
                        settings=dict(reduce_zero_label=True)),
}


def write_frames(voc: Path, folder: Path, count: int, frames: Frames) -> None:
    """Make `count` frames, or as many as there are masks, of a folder in VOC layout.

    They are `folder/img/NUMBER{suffix}` and `folder/ann/NUMBER.png`.
    """
    masks = sorted((voc / 'SegmentationClass').glob('*.png'))
    for part in ('img', 'ann'):
        (folder / part).mkdir(parents=True)
    for number in range(min(count, len(masks))):
        image = np.empty((*frames.size[::-1], 3), np.uint8)
        label = np.empty(frames.size[::-1], np.uint8)
        for tile, (rows, columns) in enumerate(_tiles(frames)):
            mask = masks[(number + tile) % len(masks)]
            size = columns.stop - columns.start, rows.stop - rows.start
            photograph = cv2.imread(str(voc / 'JPEGImages' / f'{mask.stem}.jpg'))
            image[rows, columns] = cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC)
            label[rows, columns] = cv2.resize(
                _renumber(np.array(Image.open(mask)), tile, frames), size,
                interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / f'img/{number}{frames.suffix}'), image, frames.encoding)
        write_palette_png(folder / f'ann/{number}.png', label)


def _tiles(frames: Frames) -> Iterator[tuple[slice, slice]]:
    """The rows and columns of each tile."""
    edges = [np.linspace(0, edge, number + 1).astype(int).tolist()
             for edge, number in zip(frames.size, frames.tiles, strict=True)]
    columns, rows = ([slice(*pair) for pair in zip(ends, ends[1:], strict=False)] for ends in edges)
    for row in rows:
        for column in columns:
            yield row, column


def _renumber(label: np.ndarray, tile: int, frames: Frames) -> np.ndarray:
    """Labels of VOC as those of the classes of a frame, others in each tile."""
    first = 1 if frames.settings.get('reduce_zero_label') else 0
    number = len(get_classes(frames.classes))
    found = (label.astype(int) + tile * VOC_CLASSES) % number + first
    if frames.tiles == (1, 1):  # classes that the frames do not have are their first
        found = np.where(label < number, label, 0)
    return np.where(label == IGNORED, IGNORED, found).astype(np.uint8)


def frame_dataset(folder: Path, frames: Frames, steps: Sequence[Mapping[str, Any]],
                  ) -> dict[str, Any]:
    """The config of the data set of `write_frames`, with the training pipeline `steps` in the
    sizes of the reference's configs.
    """
    sizes = {'Resize': dict(img_scale=frames.scale), 'RandomCrop': dict(crop_size=frames.crop),
             'Pad': dict(size=frames.crop)}
    if 'reduce_zero_label' in frames.settings:  # mmsegmentation asks the step
        sizes['LoadAnnotations'] = dict(reduce_zero_label=frames.settings['reduce_zero_label'])
    return dict(type='CustomDataset', data_root=str(folder), img_dir='img', ann_dir='ann',
                classes=list(get_classes(frames.classes)), **frames.settings,
                pipeline=[{**step, **sizes.get(step['type'], {})} for step in steps])
