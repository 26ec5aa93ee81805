"""Read and write files: structured data, lists, storage backends, atomic replacement."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.array_file': ['ArrayFile', 'DamagedFileError', 'write_arrays'],
    '.arrays': ['load_array'],
    '.atomic': ['atomic_write', 'remove_unfinished', 'sync_folder'],
    '.backends.base': ['BaseStorageBackend'],
    '.backends.disk': ['HardDiskBackend'],
    '.backends.fsspec': ['FsspecBackend'],
    '.backends.http': ['HTTPBackend'],
    '.file_client': ['FileClient', 'is_remote'],
    '.handlers.base': ['BaseFileHandler'],
    '.handlers.json_handler': ['JsonHandler'],
    '.handlers.pickle_handler': ['PickleHandler'],
    '.handlers.yaml_handler': ['YamlHandler'],
    '.io': ['dump', 'load', 'load_text', 'register_handler'],
    '.parse': ['dict_from_file', 'list_from_file'],
})
