"""The aerial images of Potsdam, of the 2D labelling benchmark of the ISPRS."""
from .builder import DATASETS
from .isprs import ISPRSDataset


@DATASETS.register_module()
class PotsdamDataset(ISPRSDataset):
    """Windows of tiles of 6000 x 6000 pixels in red, green and blue, with Vaihingen's classes."""
