"""Pascal VOC 2012, also with the masks of SBD ('aug')."""
from typing import Any

from mmcv_replace.utils.errors import ConfigError
from mmseg.core.evaluation.class_names import get_classes, get_palette

from .builder import DATASETS
from .custom import CustomDataset


@DATASETS.register_module()
class PascalVOCDataset(CustomDataset):
    """20 kinds of objects and the background; `split` is one of the lists in ImageSets."""

    CLASSES = tuple(get_classes('voc'))
    PALETTE = get_palette('voc')

    def __init__(self, split: str, img_suffix: str = '.jpg', seg_map_suffix: str = '.png',
                 **kwargs: Any) -> None:
        if split is None:
            raise ConfigError('PascalVOCDataset needs split, a list such as '
                              'ImageSets/Segmentation/train.txt')
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, split=split,
                         **kwargs)
