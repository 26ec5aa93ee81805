"""Your own data: from two folders to data sets, classes and a split, with every decision told.

`make_plan` looks at the folders and decides; a `Plan` is written to and read from a work directory.
"""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.plan': ['make_plan'],
    '.record': ['Plan'],
    '.saved': ['FOLDER', 'find_plan', 'read_plan', 'write_plan'],
    '.settings': ['OwnDataSettings'],
})
