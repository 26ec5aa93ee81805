"""CHASE DB1: vessels in the retinas of children."""
from .builder import DATASETS
from .retina import RetinaDataset


@DATASETS.register_module()
class ChaseDB1Dataset(RetinaDataset):
    """28 images of 14 children, with the vessels that the first observer saw."""

    seg_map_suffix = '_1stHO.png'
