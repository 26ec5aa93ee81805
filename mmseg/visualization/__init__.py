"""Drawing: overlays, legends, error maps, panels, confusion matrices, HTML pages, windows."""
from .colours import class_colours, distinct_colours
from .confusion import draw_confusion
from .encode import encode_picture
from .errors import ERROR_COLOURS, draw_error_map
from .fonts import find_font
from .html import Html, Page, table, tag
from .overlay import draw_overlay, read_picture, show_window
from .panels import side_by_side

__all__ = [
    'ERROR_COLOURS', 'Html', 'Page', 'class_colours', 'distinct_colours', 'draw_confusion',
    'draw_error_map', 'draw_overlay', 'encode_picture', 'find_font', 'read_picture', 'show_window',
    'side_by_side', 'table', 'tag',
]
