"""Draw the polygons of Cityscapes' annotations as train ids, with Pillow as its own tools do."""
from typing import TYPE_CHECKING, Any

from mmcv_replace.image.limits import check_pixels
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import did_you_mean, short
from mmseg.datasets.cityscapes import CityscapesDataset

if TYPE_CHECKING:
    from PIL.Image import Image

IGNORED = 255
NOT_DRAWN = 'license plate'
# Labels that are no class of the benchmark.
OTHERS = ('unlabeled', 'ego vehicle', 'rectification border', 'out of roi', 'static', 'dynamic',
          'ground', 'parking', 'rail track', 'guard rail', 'bridge', 'tunnel', 'polegroup',
          'caravan', 'trailer')
TRAIN_IDS = {**{name: number for number, name in enumerate(CityscapesDataset.CLASSES)},
             **dict.fromkeys(OTHERS, IGNORED), NOT_DRAWN: None}
FARTHEST = 2**20  # of a coordinate; objects may go beyond the image
GROUP = 'group'  # cargroup: cars that nobody can tell apart
REMEDY = 'correct the file, or unpack the archive again'


def draw_polygons(annotation: Any, name: str) -> 'Image':
    """A grey image of train ids; later objects cover earlier ones, 255 is what none covers.

    `annotation`: dict(imgWidth, imgHeight, objects=[dict(label, polygon=[[x, y], ...])]), as the
    files *_polygons.json have it; objects that are `deleted` are left out. `name` is the file in
    messages. Raises DataError for another form, an unknown label and less than three points.
    """
    from PIL import Image, ImageDraw
    image = Image.new('L', _size(annotation, name), IGNORED)
    draw = ImageDraw.Draw(image)
    objects = annotation.get('objects')
    if not isinstance(objects, list):
        raise DataError(f"{name}: 'objects' is no list of polygons; {REMEDY}")
    for number, item in enumerate(objects):
        place = f'{name}: objects[{number}]'
        if not isinstance(item, dict):
            raise DataError(f'{place} is {short(item)}, not a dict of label and polygon; {REMEDY}')
        if item.get('deleted'):
            continue
        train_id = _train_id(item.get('label'), place)
        if train_id is not None:
            draw.polygon(_points(item, place), fill=train_id)
    return image


def _size(annotation: Any, name: str) -> tuple[int, int]:
    size = tuple(annotation.get(key) for key in ('imgWidth', 'imgHeight')
                 ) if isinstance(annotation, dict) else ()
    if not size or not all(isinstance(side, int) and side > 0 for side in size):
        raise DataError(f"{name}: there is no size of the image ('imgWidth', 'imgHeight'); "
                        f'{REMEDY}')
    check_pixels(*size)
    return size


def _train_id(label: Any, place: str) -> int | None:
    if isinstance(label, str) and label not in TRAIN_IDS:
        label = label.removesuffix(GROUP)
    if not isinstance(label, str) or label not in TRAIN_IDS:
        raise DataError(f'{place} has the label {label!r}, which is none of Cityscapes'
                        f'{did_you_mean(str(label), TRAIN_IDS)}; {REMEDY}')
    return TRAIN_IDS[label]


def _points(item: dict, place: str) -> list[tuple[float, float]]:
    points = item.get('polygon')
    if not isinstance(points, list) or not all(map(_is_point, points)):
        raise DataError(f"{place} ({item['label']}): 'polygon' is no list of points [x, y]; "
                        f'{REMEDY}')
    if len(points) < 3:
        raise DataError(f"{place} ({item['label']}): a polygon has at least three points, this one "
                        f'{len(points)}; delete the object or complete it')
    return [tuple(point) for point in points]


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(
        isinstance(value, int | float) and abs(value) < FARTHEST for value in point)
