"""Classes of well-known data sets, by the colours of their masks."""
from collections.abc import Collection, Sequence

from mmseg.core.evaluation.class_names import DATASETS, get_classes, get_palette

from ..classes import Palette
from ..colour_map import Colour

BORDER: Colour = (224, 224, 192)  # what VOC does not label
LEAST = 3  # colours that tell a data set


def recognise(colours: Collection[Colour]) -> tuple[str, dict[Colour, int], list[str]] | None:
    """The data set all of whose colours these are: its name, its colours, its classes."""
    if len(colours) < LEAST:
        return None
    for name in dict.fromkeys(DATASETS.values()):
        dataset = next(key for key, place in DATASETS.items() if place == name)
        palette = {tuple(colour): number for number, colour in enumerate(get_palette(dataset))}
        if palette and len(palette) >= LEAST and all(colour in palette for colour in colours):
            return dataset, palette, get_classes(dataset)
    return None


def known_classes(names: Sequence[str]) -> Palette | None:
    """The colours of the data set that has exactly these classes."""
    for dataset in DATASETS:
        if list(names) == get_classes(dataset):
            return get_palette(dataset)
    return None
