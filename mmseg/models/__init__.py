"""Models: backbones, necks, heads, losses and the segmentors made of them.

A component is imported when it is first asked for, here or by its name in a config.
"""
from mmcv_replace.utils.lazy_names import lazy_names

from . import backbones, decode_heads, losses, necks, segmentors

# As in 0.x `from mmseg.models import *` gives these alone.
__all__ = ['BACKBONES', 'HEADS', 'LOSSES', 'NECKS', 'SEGMENTORS', 'build_backbone', 'build_head',
           'build_loss', 'build_neck', 'build_segmentor']
__getattr__, __dir__, _ = lazy_names(__name__, {
    '.builder': __all__,
    **{package.__name__: package.__all__
       for package in (backbones, decode_heads, losses, necks, segmentors)},
})
