"""Names and colours of the classes of well-known datasets: their one home."""
from mmcv_replace.utils.errors import DataError
from mmseg.core.utils.palette import voc_colormap

VOC_CLASSES = (
    'background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair',
    'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa',
    'train', 'tvmonitor')

CITYSCAPES = {
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

# Class name -> RGB colour, in the order of the class indices.
DATASETS = {
    'voc': dict(zip(VOC_CLASSES, map(tuple, voc_colormap(21).tolist()), strict=True)),
    'cityscapes': CITYSCAPES,
}
ALIASES = {
    'voc': ('voc', 'pascal_voc', 'voc12', 'voc12aug'),
    'cityscapes': ('cityscapes',),
}


def _find(dataset: str) -> dict[str, tuple[int, int, int]]:
    for name, aliases in ALIASES.items():
        if dataset in aliases:
            return DATASETS[name]
    known = ', '.join(alias for aliases in ALIASES.values() for alias in aliases)
    raise DataError(f'no class names are known for the dataset {dataset!r}; choose from {known}')


def get_classes(dataset: str) -> list[str]:
    """Class names of a dataset, by its name or alias."""
    return list(_find(dataset))


def get_palette(dataset: str) -> list[list[int]]:
    """RGB colour of each class of a dataset, by its name or alias."""
    return [list(color) for color in _find(dataset).values()]
