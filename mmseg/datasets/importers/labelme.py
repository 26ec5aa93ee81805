"""labelme: a JSON file an image, with polygons and other shapes."""
import base64
import binascii
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from mmcv_replace.image.integrity import PNG_START
from mmcv_replace.utils.errors import DataError, EmptyDatasetError, MissingDataError

from ..listing.folders import files_below
from .export import Export, Problems, Sample, Shape
from .images import ImageFinder, plain_name
from .json_file import need, read_json
from .labelme_shapes import LABELME_SHAPES, labelme_mask
from .legend import ALWAYS_IGNORED
from .options import Options
from .paint import paint_shapes

RULE = ('shapes as labelme 6.3.1 fills them (with their outline; lines 10 pixels wide, points of '
        'radius 5); the later one in a file is above; __ignore__ counts as no class')


def read_labelme(source: Path, options: Options, problems: Problems) -> Export:
    """Samples of all JSON files in a folder and below it, or of one file.

    The classes are the labels of all shapes in alphabetical order, since labelme keeps no list.
    """
    root, files = (source, files_below(source, '.json')) if source.is_dir() else (
        source.parent, [source.name])
    if not files:
        raise EmptyDatasetError(f'{source} holds no .json file of labelme')
    finder = ImageFinder(options.images, [root])
    samples = []
    for file in files:
        with problems.of_sample():
            samples.append(_read_file(root, file, finder))
    names = {label for sample in samples for label in sample.labels}
    return Export(samples, sorted(names.difference(ALWAYS_IGNORED)), RULE)


def _read_file(root: Path, file: str, finder: ImageFinder) -> Sample:
    path = root / file
    data = read_json(path)
    place = str(path)
    if not (isinstance(data, dict) and 'shapes' in data):
        raise DataError(f"{path} has no 'shapes', and is no file of labelme; move it elsewhere")
    shapes = list(_read_shapes(need(data, 'shapes', list, place), place))
    name = plain_name(need(data, 'imagePath', str, place))
    folder = PurePosixPath(file).parent
    size = None
    if data.get('imageHeight') is not None:
        size = need(data, 'imageHeight', int, place), need(data, 'imageWidth', int, place)
    image, content = _find_image(path, str(folder / name), name, data.get('imageData'), finder)
    suffix = image.suffix if content is None else _suffix(data['imageData'], place)
    written = str(folder / (PurePosixPath(name).stem + suffix))
    return Sample(image, written, place, size, partial(paint_shapes, shapes=shapes),
                  frozenset(shape.label for shape in shapes), content)


def _read_shapes(entries: list, place: str) -> Iterator[Shape]:
    for position, entry in enumerate(entries):
        label = need(entry, 'label', str, f'{place}: shape {position}')
        at = f'{place}: shape {position} ({label})'
        kind = entry.get('shape_type') or 'polygon'
        if kind not in LABELME_SHAPES:
            raise DataError(f'{at}: {kind!r} is no shape that can be filled; they are '
                            f'{", ".join(LABELME_SHAPES)}; delete it, or draw it as a polygon')
        points = need(entry, 'points', list, at)
        yield Shape(label, at, partial(labelme_mask, kind, points, entry.get('mask')))


def _find_image(path: Path, beside: str, name: str, data: str | None,
                finder: ImageFinder) -> tuple[Path, Callable[[], bytes] | None]:
    """The file of the image, or that of the annotation and what reads the image from it."""
    try:
        return finder.find(str(path), beside, name), None
    except MissingDataError:
        if not data:
            raise
    return path, partial(read_embedded, path)


def _suffix(data: object, place: str) -> str:
    start = _decode(data[:16] if isinstance(data, str) else data, place)
    return '.png' if start.startswith(PNG_START) else '.jpg'


def read_embedded(path: Path) -> bytes:
    """The image that labelme has put into its JSON file, as a JPEG or PNG."""
    return _decode(read_json(path)['imageData'], str(path))


def _decode(text: object, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, binascii.Error, ValueError) as error:
        raise DataError(f'{place}: imageData is no image in base64 ({error}); save the file in '
                        'labelme again') from error
