"""CVAT's 'CVAT for images 1.1': polygons, boxes, ellipses and masks in one XML file."""
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import did_you_mean

from .cvat_shapes import CVAT_SHAPES
from .export import Export, Problems, Sample, Shape
from .images import ImageFinder, written_name
from .options import Options
from .paint import paint_shapes

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Shapes without an area, which CVAT's own masks leave out too.
WITHOUT_AREA = ('polyline', 'points', 'cuboid', 'skeleton', 'tag')
RULE = ('outlines as CVAT itself makes masks of them, by pycocotools 2.0.11 (pixels whose centre '
        'is inside, without the right and lower border); of overlapping objects the one of the '
        'higher z_order is above, of equal ones the later in the file')


def read_xml(file: Path, options: Options, problems: Problems) -> Export:
    """Samples of an annotations.xml."""
    root = parse_xml(file)
    images = root.findall('image')
    if not images:
        video = " It is of a video ('CVAT for video'):" if root.find('track') is not None else ''
        raise DataError(f"{file} has no images.{video} export the task as 'CVAT for images 1.1'")
    names = [label.findtext('name', '').strip() for label in root.iterfind('meta//labels/label')
             if label.find('parent') is None]
    finder = ImageFinder(options.images, [file.parent / 'images', file.parent])
    notes: Counter[str] = Counter()
    samples = []
    for position, image in enumerate(images):
        with problems.of_sample():
            samples.append(_read_image(image, f'{file}: image {position}', names, finder, notes))
    return Export(samples, names, RULE, notes=notes)


def parse_xml(file: Path) -> 'Element':
    """The root of an XML file; DataError where it is damaged, or defines entities."""
    from xml.etree import ElementTree
    try:
        content = file.read_bytes()
        if b'<!DOCTYPE' in content or b'<!ENTITY' in content:
            raise DataError(f'{file} has a document type, which exports of CVAT have not; export '
                            'again')
        return ElementTree.fromstring(content)
    except OSError as error:
        raise DataError(f'cannot read {file}: {error.strerror or error}') from error
    except ElementTree.ParseError as error:
        raise DataError(f'{file} is no XML, or cut off ({error}); export again') from error


def _read_image(image: 'Element', place: str, names: list[str], finder: ImageFinder,
                notes: Counter[str]) -> Sample:
    name = image.get('name', '')
    if not name:
        raise DataError(f'{place}: it has no name; export again')
    place = f'{place} ({name})'
    size = whole_number(image, 'height', place), whole_number(image, 'width', place)
    subset = image.get('subset', '')
    shapes = []
    for position, element in enumerate(image):
        if element.tag in CVAT_SHAPES:
            shape = _read_shape(element, f'{place}, {element.tag} {position}', names)
            shapes.append((_z_order(element, shape.place), shape))
        elif element.tag in WITHOUT_AREA:
            notes[f'{element.tag}, which has no area, left out'] += 1
        else:
            raise DataError(f'{place}: {element.tag!r} is no shape of CVAT'
                            f'{did_you_mean(element.tag, CVAT_SHAPES)}; export again')
    shapes = [shape for _, shape in sorted(shapes, key=lambda entry: entry[0])]
    inside = f'{subset}/{name}' if subset and subset != 'default' else name
    return Sample(finder.find(place, inside, name), written_name(inside), place, size,
                  partial(paint_shapes, shapes=shapes),
                  frozenset(shape.label for shape in shapes))


def _read_shape(element: 'Element', place: str, names: list[str]) -> Shape:
    label = element.get('label', '')
    place = f'{place} ({label})'
    if label not in names:
        raise DataError(f'{place}: the file declares no label {label!r}'
                        f'{did_you_mean(label, names)}; export again')
    return Shape(label, place, partial(CVAT_SHAPES[element.tag], dict(element.attrib)))


def _z_order(element: 'Element', place: str) -> int:
    return whole_number(element, 'z_order', place) if 'z_order' in element.attrib else 0


def whole_number(element: 'Element', key: str, place: str) -> int:
    """An attribute that is a whole number; DataError where it is none."""
    try:
        return int(element.get(key, ''))
    except ValueError as error:
        raise DataError(f'{place}: {key} is {element.get(key)!r} instead of a whole number; export '
                        'again') from error
