"""LoveDA: land cover in town and country, seen from the air."""
from .builder import DATASETS
from .custom import CustomDataset

COLOURS = {
    'background': (255, 255, 255),
    'building': (255, 0, 0),
    'road': (255, 255, 0),
    'water': (0, 0, 255),
    'barren': (159, 129, 183),
    'forest': (0, 255, 0),
    'agricultural': (255, 195, 128),
}


@DATASETS.register_module()
class LoveDADataset(CustomDataset):
    """Images of 1024 x 1024 pixels of three Chinese cities; 0 in the masks is no data.

    The test server takes the classes from 0, as they are predicted.
    """

    CLASSES = tuple(COLOURS)
    PALETTE = [list(colour) for colour in COLOURS.values()]
    img_suffix = '.png'
    reduce_zero_label = True
