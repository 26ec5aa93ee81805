"""All operations that move pixels, under the name that they have in mmcv."""
from .crop import cutout, imcrop  # noqa: F401
from .flip import imflip, imflip_  # noqa: F401
from .pad import impad, impad_to_multiple  # noqa: F401
from .resize import (  # noqa: F401
    _scale_size,
    cv2_interp_codes,
    imrescale,
    imresize,
    imresize_like,
    imresize_to_multiple,
    pillow_interp_codes,
    rescale_size,
)
from .warp import cv2_border_modes, imrotate, imshear, imtranslate  # noqa: F401
