"""Classes of well-known data sets, by the colours of their masks."""
from collections.abc import Collection, Sequence

from mmseg.core.evaluation.class_names import DATASETS, get_classes, get_palette
from mmseg.core.utils import voc_colormap

from ..masks.classes import Palette
from ..masks.colour_map import Colour

BORDER: Colour = (224, 224, 192)  # what VOC does not label
LEAST = 0.5  # share of the colours of a data set that tell it
FEWEST = 3


def recognise(colours: Collection[Colour]) -> tuple[str, dict[Colour, int], list[str]] | None:
    """The data set all of whose colours these are: its name, its colours, its classes.

    At least half of its colours must be there. The colours of VOC are those of many a tool for
    classes of any kind, so that VOC is only told with its border.
    """
    inside = [colour for colour in colours if colour != BORDER]
    for name in dict.fromkeys(DATASETS.values()):
        dataset = next(key for key, place in DATASETS.items() if place == name)
        palette = {tuple(colour): number for number, colour in enumerate(get_palette(dataset))}
        if (len(inside) >= max(FEWEST, LEAST * len(palette))
                and all(colour in palette for colour in inside)
                and (BORDER in colours or not _is_of_voc(palette))):
            return dataset, palette, get_classes(dataset)
    return None


def _is_of_voc(palette: Collection[Colour]) -> bool:
    return list(palette) == [tuple(colour) for colour in voc_colormap(len(palette)).tolist()]


def known_classes(names: Sequence[str]) -> Palette | None:
    """The colours of the data set that has exactly these classes."""
    for dataset in DATASETS:
        if list(names) == get_classes(dataset):
            return get_palette(dataset)
    return None
