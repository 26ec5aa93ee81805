"""`tools/browse_dataset.py`: samples before and after each step of their pipeline."""
from .job import browse_dataset
from .options import BrowseOptions

__all__ = ['BrowseOptions', 'browse_dataset']
