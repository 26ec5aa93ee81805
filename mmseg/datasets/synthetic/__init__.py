"""A generator of small data sets in the layout of Pascal VOC, for a first run without downloads."""
from .devkit import SplitSizes, make_devkit
from .scene import Scene, make_scene

__all__ = ['Scene', 'SplitSizes', 'make_devkit', 'make_scene']
