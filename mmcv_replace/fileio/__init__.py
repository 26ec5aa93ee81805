"""Read and write files: structured data, lists, storage backends, atomic replacement."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.arrays': ['load_array'],
    '.atomic': ['atomic_write', 'remove_unfinished', 'sync_folder'],
    '.file_client': ['BaseStorageBackend', 'FileClient', 'HTTPBackend', 'HardDiskBackend'],
    '.formats': ['dump', 'load', 'load_text'],
    '.lists': ['dict_from_file', 'list_from_file'],
})
