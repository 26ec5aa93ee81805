"""COCO: one JSON file of images, categories and annotations (polygons, RLE), or panoptic PNGs."""
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .coco_entries import ImageIds, read_categories, read_category, read_image_entry
from .export import Export, Problems, Sample, Shape
from .images import ImageFinder, written_name
from .json_file import find_file, need, read_json
from .options import Options
from .paint import paint_shapes
from .panoptic import read_panoptic
from .raster.coco_polygon import coco_polygon
from .raster.points import Size, read_points
from .raster.rle import coco_rle

RULE = ('polygons as pycocotools 2.0.11 fills them (pixels whose centre is inside, without the '
        'right and lower border); of overlapping objects the smaller one is above, since the order '
        'in a COCO file means nothing')


def read_coco(source: Path, options: Options, problems: Problems) -> Export:
    """Samples of a COCO file, or of a folder that holds one. Crowd regions have no class."""
    file = find_file(source, ['*.json', 'annotations/*.json'], 'COCO file')
    data = read_json(file)
    categories = read_categories(data, file)
    entries = need(data, 'images', list, str(file)), need(data, 'annotations', list, str(file))
    finder = ImageFinder(options.images, image_folders(file))
    if any(isinstance(entry, dict) and 'segments_info' in entry for entry in entries[1]):
        return read_panoptic(file, *entries, categories, finder, options, problems)
    return _read_objects(file, *entries, categories, finder, options, problems)


def image_folders(file: Path) -> list[Path]:
    """Where the images of a COCO file may lie: beside it, as in COCO's archives and CVAT's."""
    split = file.stem.rpartition('_')[2]  # of instances_train2017.json
    return [folder / name for folder in (file.parent, file.parent.parent)
            for name in ('images', f'images/{split}', split, '')]


def _read_objects(file: Path, images: list, annotations: list, categories: dict[int, str],
                  finder: ImageFinder, options: Options, problems: Problems) -> Export:
    notes: Counter[str] = Counter()
    objects, known = defaultdict(list), {
        entry.get('id') for entry in images if isinstance(entry, dict)}
    for position, entry in enumerate(annotations):
        with problems.of_sample():
            place = f'{file}: annotation {position}'
            image = need(entry, 'image_id', (int, str), place)
            if image not in known:
                raise DataError(f'{place}: the file has no image {image!r}; export again')
            objects[image].append((position, entry))
    samples, ids = [], ImageIds()
    for position, entry in enumerate(images):
        with problems.of_sample():
            place = f'{file}: image {position}'
            sample = _read_image(entry, place, file, objects, categories, finder, options, notes)
            ids.add(entry['id'], place)
            samples.append(sample)
    return Export(samples, list(categories.values()), RULE, notes=notes)


def _read_image(entry: dict, place: str, file: Path, objects: dict, categories: dict[int, str],
                finder: ImageFinder, options: Options, notes: Counter[str]) -> Sample:
    name, size = read_image_entry(entry, place)
    shapes = []
    for position, annotation in objects.get(entry['id'], ()):
        at = f'{file}: annotation {position} ({name})'
        label = read_category(annotation, categories, at)
        crowd = annotation.get('iscrowd') == 1
        if crowd:
            notes['crowd regions ' + (
                'without a class (--crowd class gives them theirs: datumaro, and so CVAT, exports '
                'all that was painted by brush as crowds)' if options.crowd == 'ignore'
                else 'that count as objects')] += 1
        segmentation = annotation.get('segmentation')
        shapes.append(Shape(None if crowd and options.crowd == 'ignore' else label, at,
                            partial(segmentation_mask, segmentation)))
    return Sample(finder.find(place, name), written_name(name), place, size,
                  partial(paint_shapes, shapes=shapes, larger_first=True),
                  frozenset(shape.label for shape in shapes if shape.label is not None))


def segmentation_mask(segmentation: object, size: Size) -> np.ndarray:
    """What a list of polygons or an RLE covers of an image [height, width]: bool [H, W]."""
    if isinstance(segmentation, dict):
        return coco_rle(segmentation, size)
    if not segmentation:
        raise DataError('it has no segmentation, as annotations for detectors: export outlines or '
                        'masks')
    if not (isinstance(segmentation, list) and all(isinstance(e, list) for e in segmentation)):
        raise DataError(f'its segmentation is {short(segmentation)}, and neither an RLE nor a list '
                        'of polygons [[x, y, x, y, ...], ...]')
    mask = np.zeros(size, bool)
    for polygon in segmentation:
        mask |= coco_polygon(read_points(polygon, 3), size)
    return mask
