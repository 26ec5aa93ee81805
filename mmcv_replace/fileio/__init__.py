"""Read and write files: structured data, lists, storage backends, atomic replacement."""
from .arrays import load_array
from .atomic import atomic_write, remove_unfinished, sync_folder
from .file_client import BaseStorageBackend, FileClient, HardDiskBackend, HTTPBackend
from .formats import dump, load, load_text
from .lists import dict_from_file, list_from_file

__all__ = [
    'BaseStorageBackend', 'FileClient', 'HTTPBackend', 'HardDiskBackend', 'atomic_write',
    'dict_from_file', 'dump', 'list_from_file', 'load', 'load_array', 'load_text',
    'remove_unfinished', 'sync_folder',
]
