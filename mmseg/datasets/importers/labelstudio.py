"""Label Studio: its JSON export, with brushes, polygons, boxes and ellipses."""
import re
from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .export import Export, Problems, Sample, Shape
from .images import SUFFIXES, ImageFinder, plain_name
from .json_file import find_file, need, read_json
from .labelstudio_shapes import READABLE, WITHOUT_AREA, find_shape
from .options import Options
from .paint import paint_shapes
from .raster.points import Size

RULE = ('brushes pixel by pixel (alpha above 0); outlines, which Label Studio does not fill, as '
        'pycocotools 2.0.11 does in its COCO export (pixels whose centre is inside, without the '
        'right and lower border); the later region is above; of several annotations of an image '
        'the one marked as ground truth counts, else the last')
# Which the server puts before the names of uploaded files.
_UPLOADED = re.compile(r'[0-9a-f]{8}-(.+)')


def read_labelstudio(source: Path, options: Options, problems: Problems) -> Export:
    """Samples of a JSON export; the classes are the labels of all regions, alphabetically."""
    file = find_file(source, ['*.json'], 'JSON export of Label Studio')
    tasks = read_json(file)
    if not (isinstance(tasks, list) and all(isinstance(task, dict) for task in tasks)):
        raise DataError(f'{file} is no list of tasks; export from Label Studio as JSON')
    if tasks and not any('annotations' in task for task in tasks):
        raise DataError(f"{file} has no 'annotations', as JSON-MIN and CSV have not: export from "
                        'Label Studio as JSON')
    finder = ImageFinder(options.images, [file.parent, file.parent / 'images'])
    notes: Counter[str] = Counter()
    samples = []
    for position, task in enumerate(tasks):
        with problems.of_sample():
            place = f'{file}: task {task.get("id", position)}'
            result = choose_annotation(task, place, notes)
            if result is not None:
                samples.append(_read_task(task, result, place, finder, notes))
    names = {label for sample in samples for label in sample.labels}
    return Export(samples, sorted(names), RULE, notes=notes)


def choose_annotation(task: dict, place: str, notes: Counter[str]) -> list | None:
    """The regions of the annotation that counts; None where nobody has submitted one."""
    annotations = [entry for entry in need(task, 'annotations', list, place)
                   if isinstance(entry, dict) and not entry.get('was_cancelled')]
    if not annotations:
        notes['images without a submitted annotation, left out'] += 1
        return None
    if len(annotations) > 1:
        notes['images with several annotations, of which one counts'] += 1
    true = [entry for entry in annotations if entry.get('ground_truth')]
    return need((true or annotations)[-1], 'result', list, place)


def _read_task(task: dict, result: list, place: str, finder: ImageFinder,
               notes: Counter[str]) -> Sample:
    name = image_name(task, place)
    place = f'{place} ({name})'
    labels = _labels_by_region(result)
    shapes, sizes = [], set()
    for position, region in enumerate(result):
        at = f'{place}, region {position}'
        kind = need(region, 'type', str, at)
        value = region.get('value')
        fill = find_shape(value)
        if fill is None:
            if kind.endswith('labels') and kind not in WITHOUT_AREA:
                raise DataError(f'{at}: regions of the type {kind!r} cannot be read, only '
                                f'{", ".join(READABLE)}')
            if kind != 'labels':  # of another region
                notes[f'{kind}, which has no area, left out'] += 1
            continue
        found = labels.get(region.get('id'), [])
        if len(found) != 1:
            raise DataError(f'{at}: it has the labels {short(found)}, and needs one; correct it in '
                            'Label Studio')
        if region.get('image_rotation'):
            raise DataError(f'{at}: the image was turned in Label Studio by '
                            f'{region["image_rotation"]} degrees; turn the file itself')
        sizes.add((need(region, 'original_height', int, at),
                   need(region, 'original_width', int, at)))
        shapes.append(Shape(found[0], f'{at} ({found[0]})',
                            partial(fill, value)))
    if len(sizes) > 1:
        raise DataError(f'{place}: its regions are of images of different sizes, {sorted(sizes)}')
    plain = _UPLOADED.fullmatch(name)
    image = finder.find(place, name, *(plain.groups() if plain else ()))
    size: Size | None = next(iter(sizes), None)
    return Sample(image, image.name, place, size, partial(paint_shapes, shapes=shapes),
                  frozenset(shape.label for shape in shapes))


def _labels_by_region(result: list) -> dict[object, list[str]]:
    """All labels of each region: a brush and its label may be two entries with the same id."""
    labels: dict[object, list[str]] = {}
    for region in result:
        value = region.get('value') if isinstance(region, dict) else None
        for key, names in value.items() if isinstance(value, dict) else ():
            if key.endswith('labels') and isinstance(names, list):
                known = labels.setdefault(region.get('id'), [])
                known += [name for name in names if isinstance(name, str) and name not in known]
    return labels


def image_name(task: dict, place: str) -> str:
    """The file name in the address of the image: an upload, a local file or a URL."""
    data = need(task, 'data', dict, place)
    for address in data.values():
        if not isinstance(address, str):
            continue
        parts = urlsplit(plain_name(address))
        local = parse_qs(parts.query).get('d')  # of local storage: ?d=folder/name
        name = PurePosixPath(local[0] if local else unquote(parts.path)).name
        if name.lower().endswith(SUFFIXES):
            return name
    raise DataError(f'{place}: no image is named in its data, {short(data)}')
