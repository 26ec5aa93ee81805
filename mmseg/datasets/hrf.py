"""HRF: vessels in large images of the retina."""
from .builder import DATASETS
from .retina import RetinaDataset


@DATASETS.register_module()
class HRFDataset(RetinaDataset):
    """45 images of healthy and ill eyes; an image and its mask have one name."""

    seg_map_suffix = '.png'
