"""Data sets, the pipelines that make their samples, and the loaders that batch them."""
from .base_wrapper import BaseDatasetWrapper
from .builder import DATASETS, PIPELINES, build_dataloader, build_dataset
from .custom import CustomDataset
from .dataset_wrappers import ConcatDataset, RepeatDataset
from .voc import PascalVOCDataset

__all__ = [
    'DATASETS', 'PIPELINES', 'BaseDatasetWrapper', 'ConcatDataset', 'CustomDataset',
    'PascalVOCDataset', 'RepeatDataset', 'build_dataloader', 'build_dataset',
]
