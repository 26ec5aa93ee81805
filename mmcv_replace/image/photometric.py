"""All operations that change values, under the name that they have in mmcv."""
from .enhance import (  # noqa: F401
    adjust_brightness,
    adjust_color,
    adjust_contrast,
    adjust_hue,
    adjust_lighting,
    adjust_sharpness,
)
from .histogram import auto_contrast, clahe, imequalize  # noqa: F401
from .levels import iminvert, lut_transform, posterize, solarize  # noqa: F401
from .normalize import imdenormalize, imnormalize, imnormalize_  # noqa: F401
