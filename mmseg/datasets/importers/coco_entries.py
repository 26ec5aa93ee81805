"""The entries of a COCO file that its objects and its panoptic form share."""
from pathlib import Path

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .json_file import need
from .raster.points import Size


def read_categories(data: object, file: Path) -> dict[int, str]:
    """Names of the categories by their numbers, in the order of these."""
    categories = {}
    for position, entry in enumerate(need(data, 'categories', list, str(file))):
        place = f'{file}: category {position}'
        number, name = need(entry, 'id', int, place), need(entry, 'name', str, place)
        if categories.setdefault(number, name) != name:
            raise DataError(f'{place}: {name!r} has the id {number} of {categories[number]!r}; '
                            'give each category its own id')
    return dict(sorted(categories.items()))


class ImageIds:
    """Sees to it that no two images of a file have the same id, which objects name."""

    def __init__(self) -> None:
        self.places: dict[int | str, str] = {}

    def add(self, number: int | str, place: str) -> None:
        """Note an id; DataError for one that another image has."""
        other = self.places.setdefault(number, place)
        if other != place:
            raise DataError(f'{place}: it has the id {number!r} of {other}, and to which of them '
                            'objects belong is not known; give each image its own id')


def read_image_entry(entry: object, place: str) -> tuple[str, Size]:
    """File name and [height, width] of an entry of `images`."""
    need(entry, 'id', (int, str), place)
    name = need(entry, 'file_name', str, place)
    place = f'{place} ({name})'
    return name, (need(entry, 'height', int, place), need(entry, 'width', int, place))


def read_category(annotation: dict, categories: dict[int, str], place: str) -> str:
    """The name of the category of an annotation, or of a segment."""
    number = need(annotation, 'category_id', int, place)
    if number not in categories:
        raise DataError(f'{place}: there is no category {number}, only {short(list(categories))}; '
                        "add it to 'categories', or correct the annotation")
    return categories[number]
