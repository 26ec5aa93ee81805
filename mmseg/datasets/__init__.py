"""Data sets, the pipelines that make their samples, and the loaders that batch them.

A data set is imported when it is first asked for; `builder.py` lists them.
"""
from mmcv_replace.utils.lazy_names import lazy_names

from .builder import DATASETS, PIPELINES, build_dataloader, build_dataset

__getattr__, __dir__, __all__ = lazy_names(
    __name__, {**DATASETS.modules, '.base_wrapper': ['BaseDatasetWrapper'], '.pipelines': []})
__all__ += ['DATASETS', 'PIPELINES', 'build_dataloader', 'build_dataset']
