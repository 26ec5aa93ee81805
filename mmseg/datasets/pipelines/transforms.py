"""The steps that change images, under the module name that mmsegmentation 0.x gives them."""
from .crop import RandomCrop
from .distortion import PhotoMetricDistortion
from .geometric import Pad, RandomFlip, RandomRotate
from .normalize import Normalize
from .photometric import CLAHE, AdjustGamma, Rerange, RGB2Gray
from .resize import Resize, SegRescale

__all__ = [
    'CLAHE', 'AdjustGamma', 'Normalize', 'Pad', 'PhotoMetricDistortion', 'RGB2Gray', 'RandomCrop',
    'RandomFlip', 'RandomRotate', 'Rerange', 'Resize', 'SegRescale',
]
