"""YOLO (Ultralytics): a text file an image, with a class number and a polygon a line."""
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from mmcv_replace.fileio import list_from_file, load
from mmcv_replace.utils.errors import DataError, EmptyDatasetError, MissingDataError
from mmcv_replace.utils.suggest import short

from ..listing.folders import files_below
from .export import Export, Problems, Sample, Shape
from .images import SUFFIXES, check_folder
from .options import Options
from .paint import paint_shapes
from .raster.drawn import opencv_polygon
from .raster.points import Size, read_points

IMAGES, LABELS = 'images', 'labels'
RULE = ('polygons as Ultralytics fills them (coordinates cut to whole pixels, filled by OpenCV '
        'with the outline); of overlapping objects the smaller one is above, as in its own masks')
# Ultralytics allows rounding beyond the border by so much.
_BEYOND = 0.01


def read_yolo(source: Path, options: Options, problems: Problems) -> Export:
    """Samples of a folder with data.yaml or classes.txt, or of one of these files.

    Labels are in folders called `labels`, images under the same names in `images`, or in the folder
    that the options name. An image without a label file has no object.
    """
    root = source if source.is_dir() else source.parent
    names = read_names(source)
    images = _list_images(root, options.images)
    labels = {_without(name, LABELS).removesuffix('.txt'): root / name
              for name in files_below(root, '.txt')
              if LABELS in PurePosixPath(name).parent.parts}
    if not labels:
        raise EmptyDatasetError(f'{root} holds no label file; they are looked for in folders called'
                                f' {LABELS}')
    samples = []
    for name, image in images.items():
        with problems.of_sample():
            file = labels.pop(str(PurePosixPath(name).with_suffix('')), None)
            shapes = [] if file is None else list(_read_labels(file, names))
            samples.append(Sample(image, name, str(image if file is None else file), None,
                                  partial(paint_shapes, shapes=shapes, larger_first=True),
                                  frozenset(shape.label for shape in shapes)))
    for name, file in labels.items():
        with problems.of_sample():
            raise MissingDataError(f'{file}: its image {name} is missing below '
                                   f'{options.images or f"{root}, in a folder called {IMAGES}"}')
    return Export(samples, list(names.values()), RULE)


def read_names(source: Path) -> dict[int, str]:
    """Class names by number from data.yaml, another .yaml with `names`, or classes.txt."""
    files = [source] if source.is_file() else [
        path for pattern in ('data.yaml', 'dataset.yaml', 'classes.txt', '*.yaml', '*.yml')
        for path in sorted(source.glob(pattern))]
    for file in files:
        if file.suffix == '.txt':
            lines = [line.strip() for line in list_from_file(file)]
            return dict(enumerate(line for line in lines if line))
        data = load(file)
        names = data.get('names') if isinstance(data, dict) else None
        if isinstance(names, list):
            names = dict(enumerate(names))
        if isinstance(names, dict) and all(isinstance(key, int) for key in names):
            return {key: _check_name(names[key], file) for key in sorted(names)}
    raise DataError(f'{source}: no names of classes; they stand as names: in data.yaml, or one a '
                    'line in classes.txt')


def _check_name(name: object, file: Path) -> str:
    if isinstance(name, bool) or not isinstance(name, str | int | float) or name == '':
        raise DataError(f'{file}: the names of classes hold {short(name)}, which is no text in '
                        "YAML; put it into quotes, as 'no' or 'on' need them")
    return str(name)


def _list_images(root: Path, given: str | None) -> dict[str, Path]:
    """Images by their names below the folder, or folders, called `images`."""
    folder = root if given is None else check_folder(given)
    names = [name for name in files_below(folder, SUFFIXES, case_sensitive=False)
             if given is not None or IMAGES in PurePosixPath(name).parent.parts]
    if not names:
        raise EmptyDatasetError(
            f'{folder} holds no images' + (f' in a folder called {IMAGES}; name their folder by '
                                           '--images' if given is None else ''))
    return {_without(name, IMAGES): folder / name for name in names}


def _without(name: str, part: str) -> str:
    """A name without the last of its folders of this name: train/images/a.jpg -> train/a.jpg."""
    parts = list(PurePosixPath(name).parts)
    if part in parts[:-1]:
        del parts[len(parts) - 2 - parts[-2::-1].index(part)]
    return '/'.join(parts)


def _read_labels(file: Path, names: dict[int, str]) -> Iterator[Shape]:
    for number, line in enumerate(list_from_file(file), 1):
        words = line.split()
        if not words:
            continue
        place = f'{file}, line {number}'
        try:
            values = np.array(words, np.float64)
        except ValueError as error:
            raise DataError(f'{place}: {short(line)} is no list of numbers') from error
        label = names.get(values[0])
        if label is None:
            raise DataError(f'{place}: there is no class {words[0]}, only {short(list(names))}')
        yield Shape(label, f'{place} ({label})', partial(yolo_mask, values[1:]))


def yolo_mask(values: np.ndarray, size: Size) -> np.ndarray:
    """What a polygon x, y, x, y, ... in shares of the image covers of it: bool [H, W]."""
    if len(values) == 4:
        raise DataError('it has 4 numbers, which is a box (label files for detection) or a polygon '
                        'of two points; a polygon has three points at least')
    points = read_points(values, 3)
    if (points < -_BEYOND).any() or (points > 1 + _BEYOND).any():
        raise DataError(f'its coordinates go from {points.min():g} to {points.max():g}, and shares '
                        'of the image are 0 to 1')
    # In the precision of Ultralytics: 0.29 of 100 pixels is 29 there, and 28 in that of Python.
    return opencv_polygon(points.astype(np.float32) * np.float32(size[::-1]), size)
