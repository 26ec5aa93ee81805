"""The aerial images of Vaihingen, of the 2D labelling benchmark of the ISPRS."""
from .builder import DATASETS
from .custom import CustomDataset

# Also the colours of the benchmark's own label images.
COLOURS = {
    'impervious_surface': (255, 255, 255),
    'building': (0, 0, 255),
    'low_vegetation': (0, 255, 255),
    'tree': (0, 255, 0),
    'car': (255, 255, 0),
    'clutter': (255, 0, 0),
}


@DATASETS.register_module()
class ISPRSDataset(CustomDataset):
    """Windows of tiles of near infrared, red and green; 0 in the masks are borders of objects."""

    CLASSES = tuple(COLOURS)
    PALETTE = [list(colour) for colour in COLOURS.values()]
    img_suffix = '.png'
    reduce_zero_label = True
