"""How the data in a file are written: one format a module."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.base': ['BaseFileHandler'],
    '.json_handler': ['JsonHandler'],
    '.pickle_handler': ['PickleHandler'],
    '.yaml_handler': ['YamlHandler'],
})
