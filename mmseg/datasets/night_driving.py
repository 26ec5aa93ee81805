"""Nighttime Driving: streets at night, with the classes of Cityscapes."""
from .builder import DATASETS
from .cityscapes import CityscapesDataset


@DATASETS.register_module()
class NightDrivingDataset(CityscapesDataset):
    """50 images to test on; NighttimeDrivingTest.zip holds them with masks of train ids."""

    seg_map_suffix = '_gtCoarse_labelTrainIds.png'
