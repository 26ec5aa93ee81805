"""`BasePixelSampler`, under the path of mmsegmentation that user code imports."""
from ..builder import BasePixelSampler

__all__ = ['BasePixelSampler']
