"""Image files and image operations on NumPy arrays [H, W] or [H, W, C] in BGR order."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.colorspace': ['bgr2gray', 'bgr2hls', 'bgr2hsv', 'bgr2rgb', 'gray2bgr', 'gray2rgb', 'hls2bgr',
                    'hsv2bgr', 'imconvert', 'rgb2bgr', 'rgb2gray'],
    '.display': ['to_displayable'],
    '.geometric': ['imcrop', 'imflip', 'imflip_', 'impad', 'impad_to_multiple', 'imrescale',
                   'imresize', 'imresize_like', 'imrotate', 'rescale_size'],
    '.io': ['imfrombytes', 'imread', 'imwrite', 'supported_backends', 'unscale_grey',
            'use_backend'],
    '.photometric': ['adjust_brightness', 'adjust_color', 'adjust_contrast', 'clahe',
                     'imdenormalize', 'imnormalize', 'imnormalize_', 'imnormalize_chw',
                     'lut_transform', 'posterize', 'solarize', 'split_channels'],
})
