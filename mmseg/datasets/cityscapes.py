"""Cityscapes: the classes of its benchmark and their colours."""
from .builder import DATASETS
from .custom import CustomDataset

COLOURS = {
    'road': (128, 64, 128),
    'sidewalk': (244, 35, 232),
    'building': (70, 70, 70),
    'wall': (102, 102, 156),
    'fence': (190, 153, 153),
    'pole': (153, 153, 153),
    'traffic light': (250, 170, 30),
    'traffic sign': (220, 220, 0),
    'vegetation': (107, 142, 35),
    'terrain': (152, 251, 152),
    'sky': (70, 130, 180),
    'person': (220, 20, 60),
    'rider': (255, 0, 0),
    'car': (0, 0, 142),
    'truck': (0, 0, 70),
    'bus': (0, 60, 100),
    'train': (0, 80, 100),
    'motorcycle': (0, 0, 230),
    'bicycle': (119, 11, 32),
}


@DATASETS.register_module()
class CityscapesDataset(CustomDataset):
    """Streets of German cities; the masks hold the train ids, which the converter makes."""

    CLASSES = tuple(COLOURS)
    PALETTE = [list(colour) for colour in COLOURS.values()]
    img_suffix = '_leftImg8bit.png'
    seg_map_suffix = '_gtFine_labelTrainIds.png'
    # The ids of the labels, of which those of training are a part.
    server_labels = dict(zip(CLASSES, (
        7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33), strict=True))
