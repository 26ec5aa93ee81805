"""STARE: vessels in the retina."""
from .builder import DATASETS
from .retina import RetinaDataset


@DATASETS.register_module()
class STAREDataset(RetinaDataset):
    """20 images, with the vessels that Adam Hoover drew."""

    seg_map_suffix = '.ah.png'
