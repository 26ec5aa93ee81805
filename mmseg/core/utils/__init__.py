"""Small helpers that the models, datasets and evaluation share."""
from .misc import add_prefix
from .palette import voc_colormap, write_palette_png

__all__ = ['add_prefix', 'voc_colormap', 'write_palette_png']
