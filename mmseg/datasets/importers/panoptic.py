"""COCO's panoptic form: a PNG an image, whose colours are the numbers of segments."""
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from mmcv_replace.image import imread
from mmcv_replace.utils.errors import DataError, MissingDataError

from ..listing.folders import file_is_there
from .coco_entries import ImageIds, read_category, read_image_entry
from .export import Export, Painting, Problems, Sample
from .images import ImageFinder, written_name
from .json_file import need
from .legend import Legend
from .options import Options
from .raster.points import Size

RULE = ('segments of the panoptic PNGs, which cannot overlap (number = red + 256 green + 65536 '
        'blue; 0 is no segment)')


def read_panoptic(file: Path, images: list, annotations: list, categories: dict[int, str],
                  finder: ImageFinder, options: Options, problems: Problems) -> Export:
    """Samples of a panoptic JSON, whose PNGs are in the folder of its name, or beside it."""
    notes: Counter[str] = Counter()
    entries, ids = {}, ImageIds()
    for position, entry in enumerate(images):
        with problems.of_sample():
            place = f'{file}: image {position}'
            name, size = read_image_entry(entry, place)
            ids.add(entry['id'], place)
            entries[entry['id']] = name, size, place
    samples = []
    for position, entry in enumerate(annotations):
        with problems.of_sample():
            place = f'{file}: annotation {position}'
            image = need(entry, 'image_id', (int, str), place)
            if image not in entries:
                raise DataError(f'{place}: the file has no image {image!r}; export again')
            name, size, at = entries.pop(image)
            labels = _read_segments(entry, categories, options, place, notes)
            png = _find_png(file, need(entry, 'file_name', str, place), place)
            samples.append(Sample(
                finder.find(at, name), written_name(name), at, size,
                partial(paint_panoptic, png=png, labels=labels),
                frozenset(label for label in labels.values() if label is not None)))
    if entries:
        notes['images without a panoptic annotation, left out'] = len(entries)
    return Export(samples, list(categories.values()), RULE, 'ignore', notes)


def _read_segments(entry: dict, categories: dict[int, str], options: Options, place: str,
                   notes: Counter[str]) -> dict[int, str | None]:
    """The class of each segment by its number; None for a crowd."""
    labels: dict[int, str | None] = {}
    for position, segment in enumerate(need(entry, 'segments_info', list, place)):
        at = f'{place}, segment {position}'
        label = read_category(segment, categories, at)
        if segment.get('iscrowd') == 1 and options.crowd == 'ignore':
            notes['crowd segments without a class (--crowd class gives them theirs)'] += 1
            label = None
        labels[need(segment, 'id', int, at)] = label
    return labels


def _find_png(file: Path, name: str, place: str) -> Path:
    folders = (file.with_suffix(''), file.parent)
    for folder in folders:
        if file_is_there(folder / name):
            return folder / name
    raise MissingDataError(f'{place}: its segments {name} are missing in '
                           f'{" and ".join(map(str, folders))}; put the folder of the PNGs there')


def paint_panoptic(size: Size, legend: Legend, png: Path,
                   labels: dict[int, str | None]) -> Painting:
    """Class indices of a panoptic PNG. Raises DataError for another size or unknown segments."""
    blue_green_red = imread(png, 'color_ignore_orientation').astype(np.uint32)
    if blue_green_red.shape[:2] != tuple(size):
        raise DataError(f'{png} has {blue_green_red.shape[1]} x {blue_green_red.shape[0]} pixels, '
                        f'and the image {size[1]} x {size[0]}')
    numbers, positions = np.unique(blue_green_red @ np.array([65536, 256, 1], np.uint32),
                                   return_inverse=True)
    unknown = [number for number in numbers.tolist() if number and number not in labels]
    if unknown:
        raise DataError(f'{png} holds the segment {unknown[0]}, which segments_info lacks; export '
                        'again')
    values = [legend.value(labels[number]) if number else legend.unlabelled
              for number in numbers.tolist()]
    return Painting(np.array(values, np.uint8)[positions].reshape(size))
