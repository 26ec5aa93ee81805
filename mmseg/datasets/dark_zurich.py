"""Dark Zurich: streets at night, with the classes of Cityscapes."""
from .builder import DATASETS
from .cityscapes import CityscapesDataset


@DATASETS.register_module()
class DarkZurichDataset(CityscapesDataset):
    """50 images to validate on; Dark_Zurich_val_anon.zip holds them with masks of train ids."""

    img_suffix = '_rgb_anon.png'
    seg_map_suffix = '_gt_labelTrainIds.png'
