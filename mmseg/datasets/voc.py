"""Pascal VOC 2012, also with the masks of SBD ('aug')."""
from typing import Any

from mmseg.core.utils import voc_colormap

from .builder import DATASETS
from .custom import CustomDataset


@DATASETS.register_module()
class PascalVOCDataset(CustomDataset):
    """20 kinds of objects and the background; `split` is one of the lists in ImageSets."""

    CLASSES = (
        'background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat',
        'chair', 'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant',
        'sheep', 'sofa', 'train', 'tvmonitor')
    PALETTE = voc_colormap(21).tolist()
    needs_split = True

    def __init__(self, split: str | None = None, **kwargs: Any) -> None:
        # In 0.x `split` is the first positional argument, which subclasses use.
        super().__init__(split=split, **kwargs)
