import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from mmcv_replace.image.orientation import turn, unturn


@pytest.mark.parametrize('orientation', range(1, 9))
def test_images_are_turned_as_pillow_turns_them(photo, orientation):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(photo).save(buffer, 'PNG', exif=exif)
    with Image.open(buffer) as img:
        upright = np.array(ImageOps.exif_transpose(img))

    np.testing.assert_array_equal(turn(photo, orientation), upright)
    np.testing.assert_array_equal(unturn(upright, orientation), photo)


def test_what_is_no_orientation_turns_nothing(photo):
    for orientation in (0, 9, 65535):
        np.testing.assert_array_equal(turn(photo, orientation), photo)
