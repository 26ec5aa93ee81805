"""Image files and image operations on NumPy arrays [H, W] or [H, W, C] in BGR order."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.bands': ['as_bands'],
    '.colorspace': ['bgr2gray', 'bgr2hls', 'bgr2hsv', 'bgr2rgb', 'gray2bgr', 'gray2rgb', 'hls2bgr',
                    'hsv2bgr', 'imconvert', 'rgb2bgr', 'rgb2gray'],
    '.crop': ['cutout', 'imcrop'],
    '.display': ['to_displayable'],
    '.enhance': ['adjust_brightness', 'adjust_color', 'adjust_contrast', 'adjust_hue',
                 'adjust_lighting', 'adjust_sharpness'],
    '.flip': ['imflip', 'imflip_'],
    '.histogram': ['auto_contrast', 'clahe', 'imequalize'],
    '.io': ['imfrombytes', 'imread', 'imwrite', 'supported_backends', 'unscale_grey',
            'use_backend'],
    '.levels': ['iminvert', 'lut_transform', 'posterize', 'solarize'],
    '.misc': ['tensor2imgs'],
    '.normalize': ['imdenormalize', 'imnormalize', 'imnormalize_', 'imnormalize_chw',
                   'split_channels'],
    '.pad': ['impad', 'impad_to_multiple'],
    '.resize': ['imrescale', 'imresize', 'imresize_like', 'imresize_to_multiple', 'rescale_size'],
    '.warp': ['imrotate', 'imshear', 'imtranslate'],
    '.ycbcr': ['bgr2ycbcr', 'rgb2ycbcr', 'ycbcr2bgr', 'ycbcr2rgb'],
})
