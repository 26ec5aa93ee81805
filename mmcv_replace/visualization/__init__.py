"""Images in windows, with boxes and labels drawn on them."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.color': ['Color', 'color_val'],
    '.image': ['imshow', 'imshow_bboxes', 'imshow_det_bboxes'],
})
