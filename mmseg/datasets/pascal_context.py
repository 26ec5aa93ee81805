"""Pascal Context: all pixels of images of VOC 2010."""
from typing import Any

from .ade import ADE20KDataset
from .builder import DATASETS
from .custom import CustomDataset


@DATASETS.register_module()
class PascalContextDataset(CustomDataset):
    """59 classes, and the background before them; `split` is a list in ImageSets."""

    CLASSES = (
        'background', 'aeroplane', 'bag', 'bed', 'bedclothes', 'bench', 'bicycle', 'bird', 'boat',
        'book', 'bottle', 'building', 'bus', 'cabinet', 'car', 'cat', 'ceiling', 'chair', 'cloth',
        'computer', 'cow', 'cup', 'curtain', 'dog', 'door', 'fence', 'floor', 'flower', 'food',
        'grass', 'ground', 'horse', 'keyboard', 'light', 'motorbike', 'mountain', 'mouse', 'person',
        'plate', 'platform', 'pottedplant', 'road', 'rock', 'sheep', 'shelves', 'sidewalk', 'sign',
        'sky', 'snow', 'sofa', 'table', 'track', 'train', 'tree', 'truck', 'tvmonitor', 'wall',
        'water', 'window', 'wood')
    PALETTE = ADE20KDataset.PALETTE[:60]
    needs_split = True

    def __init__(self, split: str | None = None, **kwargs: Any) -> None:
        # In 0.x `split` is the first positional argument, which subclasses use.
        super().__init__(split=split, **kwargs)


@DATASETS.register_module()
class PascalContextDataset59(PascalContextDataset):
    """The 59 classes alone; the background is ignored."""

    CLASSES = PascalContextDataset.CLASSES[1:]
    PALETTE = PascalContextDataset.PALETTE[1:]
    reduce_zero_label = True
