"""Models: backbones, heads, losses and the segmentors made of them."""
from .backbones import *  # noqa: F403
from .builder import (
    BACKBONES,
    HEADS,
    LOSSES,
    NECKS,
    SEGMENTORS,
    build_backbone,
    build_head,
    build_loss,
    build_neck,
    build_segmentor,
)
from .decode_heads import *  # noqa: F403
from .losses import *  # noqa: F403
from .segmentors import *  # noqa: F403

__all__ = [
    'BACKBONES', 'HEADS', 'LOSSES', 'NECKS', 'SEGMENTORS', 'build_backbone', 'build_head',
    'build_loss', 'build_neck', 'build_segmentor',
]
