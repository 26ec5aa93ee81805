"""Drawing: segmentation maps over images, legends, windows."""
from .overlay import draw_overlay, read_picture, show_window

__all__ = ['draw_overlay', 'read_picture', 'show_window']
