"""Non-maximum suppression: of boxes that overlap, the best is kept.

The boxes are sorted and selected on the host, in the order and with the arithmetic of mmcv's
compiled loops for the host: each selection depends on those before it, of which a device would run
thousands of small steps. The host waits for a device once, for the boxes.
"""
from .by_class import batched_nms
from .hard import nms
from .soft import soft_nms

__all__ = ['batched_nms', 'nms', 'soft_nms']
