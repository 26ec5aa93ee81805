"""iSAID: objects in the aerial images of DOTA."""
from .builder import DATASETS
from .custom import CustomDataset

# Also the colours of the data set's own masks.
COLOURS = {
    'background': (0, 0, 0),
    'ship': (0, 0, 63),
    'store_tank': (0, 63, 63),
    'baseball_diamond': (0, 63, 0),
    'tennis_court': (0, 63, 127),
    'basketball_court': (0, 63, 191),
    'Ground_Track_Field': (0, 63, 255),
    'Bridge': (0, 127, 63),
    'Large_Vehicle': (0, 127, 127),
    'Small_Vehicle': (0, 0, 127),
    'Helicopter': (0, 0, 191),
    'Swimming_pool': (0, 0, 255),
    'Roundabout': (0, 191, 127),
    'Soccer_ball_field': (0, 127, 191),
    'plane': (0, 127, 255),
    'Harbor': (0, 100, 155),
}


@DATASETS.register_module()
class iSAIDDataset(CustomDataset):
    """15 kinds of objects and the background, in windows of images of up to 13,000 pixels."""

    CLASSES = tuple(COLOURS)
    PALETTE = [list(colour) for colour in COLOURS.values()]
    img_suffix = '.png'
    seg_map_suffix = '_instance_color_RGB.png'
