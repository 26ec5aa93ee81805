"""Image files and image operations on NumPy arrays [H, W] or [H, W, C] in BGR order."""
from .colorspace import (
    bgr2gray,
    bgr2hls,
    bgr2hsv,
    bgr2rgb,
    gray2bgr,
    gray2rgb,
    hls2bgr,
    hsv2bgr,
    imconvert,
    rgb2bgr,
    rgb2gray,
)
from .display import to_displayable
from .geometric import (
    imcrop,
    imflip,
    imflip_,
    impad,
    impad_to_multiple,
    imrescale,
    imresize,
    imresize_like,
    imrotate,
    rescale_size,
)
from .io import imfrombytes, imread, imwrite, supported_backends, unscale_grey, use_backend
from .photometric import (
    adjust_brightness,
    adjust_color,
    adjust_contrast,
    clahe,
    imdenormalize,
    imnormalize,
    imnormalize_,
    imnormalize_chw,
    lut_transform,
    posterize,
    solarize,
    split_channels,
)

__all__ = [
    'adjust_brightness', 'adjust_color', 'adjust_contrast', 'bgr2gray', 'bgr2hls', 'bgr2hsv',
    'bgr2rgb', 'clahe', 'gray2bgr', 'gray2rgb', 'hls2bgr', 'hsv2bgr', 'imconvert', 'imcrop',
    'imdenormalize', 'imflip', 'imflip_', 'imfrombytes', 'imnormalize', 'imnormalize_',
    'imnormalize_chw', 'impad', 'impad_to_multiple', 'imread', 'imrescale', 'imresize',
    'imresize_like', 'imrotate', 'imwrite', 'lut_transform', 'posterize', 'rescale_size',
    'rgb2bgr', 'rgb2gray', 'solarize', 'split_channels', 'supported_backends', 'to_displayable',
    'unscale_grey', 'use_backend',
]
