"""DRIVE: vessels in the retina."""
from .builder import DATASETS
from .retina import RetinaDataset


@DATASETS.register_module()
class DRIVEDataset(RetinaDataset):
    """40 images of a screening for diabetes, with the vessels that the first observer saw."""

    seg_map_suffix = '_manual1.png'
