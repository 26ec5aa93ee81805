"""CVAT's 'Segmentation mask 1.1': PNGs in the colours that labelmap.txt gives to the classes."""
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from mmcv_replace.fileio import list_from_file
from mmcv_replace.image import imread
from mmcv_replace.utils.errors import DataError, EmptyDatasetError

from ..listing.folders import files_below
from ..masks.colour_map import Colour, colour_key
from ..masks.labelmap import parse_labelmap
from .export import Export, Painting, Problems, Sample
from .images import SUFFIXES, ImageFinder
from .legend import BACKGROUND, Legend
from .options import Options
from .raster.points import Size

LABEL_MAP = 'labelmap.txt'
MASKS, IMAGES = 'SegmentationClass', 'JPEGImages'
RULE = ('the pixels as CVAT painted them, of overlapping objects the one of the higher z_order; '
        'black is what nobody labelled, unless labelmap.txt gives it to a class of yours')


def read_masks(label_map: Path, options: Options, problems: Problems) -> Export:
    """Samples of the masks beside a labelmap.txt."""
    root = label_map.parent
    colours = read_label_map(label_map)
    masks = files_below(root / MASKS, '.png') if (root / MASKS).is_dir() else []
    if not masks:
        raise EmptyDatasetError(f'{root / MASKS} holds no mask (.png); export the task again as '
                                "'Segmentation mask 1.1'")
    finder = ImageFinder(options.images, [root / IMAGES, root / 'images', root])
    samples = []
    for mask in masks:
        with problems.of_sample():
            stem = mask.removesuffix('.png')
            place = str(root / MASKS / mask)
            image = finder.find(place, *(stem + suffix for suffix in (
                *SUFFIXES, *(suffix.upper() for suffix in SUFFIXES))))
            samples.append(Sample(
                image, stem + image.suffix, place, None,
                partial(paint_colours, mask=root / MASKS / mask, colours=colours)))
    names = [name for colour, name in colours.items()
             if options.unlabelled != 'ignore' or not is_unlabelled(colour, name)]
    return Export(samples, names, RULE)


def read_label_map(path: Path) -> dict[Colour, str]:
    """Class by colour [red, green, blue], in the order of the file.

    Raises DataError for a line of another form, or a colour that two classes have.
    """
    colours: dict[Colour, str] = {}
    try:
        entries = parse_labelmap(list_from_file(path))
    except ValueError as error:
        raise DataError(f'{path}: {error}; correct the line, or export again') from error
    for name, colour in entries:
        if colour in colours:
            raise DataError(f'{path}: {colours[colour]!r} and {name!r} have the same colour '
                            f'{colour_key(colour)}; give them different ones in CVAT, and export '
                            'again')
        colours[colour] = name
    return colours


def paint_colours(size: Size, legend: Legend, mask: Path,
                  colours: Mapping[Colour, str]) -> Painting:
    """Class indices of a coloured mask. DataError for another size, or a colour without a class."""
    pixels = imread(mask, 'color_ignore_orientation')[..., ::-1]
    if pixels.shape[:2] != tuple(size):
        raise DataError(f'it has {pixels.shape[1]} x {pixels.shape[0]} pixels, and its image '
                        f'{size[1]} x {size[0]}; export both again')
    numbers, positions, counts = np.unique(
        pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32),
        return_inverse=True, return_counts=True)
    found = [(number >> 16, number >> 8 & 255, number & 255) for number in numbers.tolist()]
    unknown = [(colour, count) for colour, count in zip(found, counts.tolist(), strict=True)
               if colour not in colours]
    if unknown:
        colour, count = max(unknown, key=lambda entry: entry[1])
        raise DataError(f'{LABEL_MAP} has no class of the colour {",".join(map(str, colour))}, '
                        f'which {count / positions.size:.2%} of its pixels have'
                        + (f' (and {len(unknown) - 1} more colours)' if len(unknown) > 1 else '')
                        + '; add its line, or export again')
    values = [legend.unlabelled if is_unlabelled(colour, colours[colour])
              else legend.value(colours[colour]) for colour in found]
    return Painting(np.array(values, np.uint8)[positions].reshape(size))


def is_unlabelled(colour: Colour, name: str) -> bool:
    """Whether this is the black background that CVAT adds, and no class that anybody has drawn."""
    return colour == (0, 0, 0) and name.lower() in BACKGROUND
