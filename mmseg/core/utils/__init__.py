"""Palettes, nested data sets, and names of losses: what models, data sets and evaluation share."""
from .misc import add_prefix
from .nested_datasets import inner_datasets, leaf_configs, leaf_datasets, nested_datasets
from .palette import (
    voc_colormap,
    whole_palette,
    write_deep_png,
    write_grey_png,
    write_palette_png,
)

__all__ = [
    'add_prefix', 'inner_datasets', 'leaf_configs', 'leaf_datasets', 'nested_datasets',
    'voc_colormap', 'whole_palette', 'write_deep_png', 'write_grey_png', 'write_palette_png',
]
