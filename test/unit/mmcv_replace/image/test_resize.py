import numpy as np
import pytest
from PIL import Image

from mmcv_replace.image import (
    imrescale,
    imresize,
    imresize_like,
    imresize_to_multiple,
    rescale_size,
)
from mmcv_replace.image.geometric import _scale_size
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError


@pytest.mark.parametrize('name', ['nearest', 'bilinear', 'bicubic', 'box', 'lanczos', 'hamming'])
def test_pillow_resizes_as_pillow(photo, label, name):
    code = Image.Resampling[name.upper()]
    for img in (photo, label):
        expected = np.array(Image.fromarray(img).resize((30, 20), code))
        np.testing.assert_array_equal(imresize(img, (30, 20), interpolation=name, backend='pillow'),
                                      expected)


def test_every_function_passes_the_backend_on(photo):
    pillow = imresize(photo, (26, 18), backend='pillow')
    assert not np.array_equal(pillow, imresize(photo, (26, 18)))
    for result in (imresize_like(photo, pillow, backend='pillow'),
                   imrescale(photo, 0.5, backend='pillow'),
                   imresize_to_multiple(photo, 2, (26, 17), backend='pillow')):
        assert np.array_equal(result, imresize(photo, result.shape[1::-1], backend='pillow'))


@pytest.mark.parametrize(('kwargs', 'size'), [
    (dict(divisor=8, size=(20, 30)), (24, 32)),
    (dict(divisor=(10, 7), size=(20, 30)), (20, 35)),
    (dict(divisor=8, size=17), (24, 24)),
    (dict(divisor=8, size=(104, 100), keep_ratio=True), (104, 80)),  # 104 x 74 fits into it
    (dict(divisor=8, scale_factor=2), (104, 80)),
    (dict(divisor=8, scale_factor=(0.5, 2)), (32, 80)),
    (dict(divisor=8, scale_factor=(0.5, 2), keep_ratio=True), (32, 80)),
])
def test_imresize_to_multiple(photo, kwargs, size):
    resized, width_scale, height_scale = imresize_to_multiple(photo, return_scale=True, **kwargs)
    np.testing.assert_array_equal(resized, imresize(photo, size))
    assert (width_scale, height_scale) == (size[0] / 52, size[1] / 37)


def test_out_is_filled(photo):
    out = np.empty((40, 64, 3), np.uint8)
    assert imresize_to_multiple(photo, 8, (60, 40), out=out, interpolation='nearest') is out
    np.testing.assert_array_equal(out, imresize(photo, (64, 40), interpolation='nearest'))


def test_scale_size():
    assert _scale_size((10, 7), 0.5) == (5, 4)
    assert _scale_size((10, 7), (2, 0.1)) == (20, 1)


@pytest.mark.parametrize(('call', 'kind', 'message'), [
    (lambda img: imresize(img, (5, 5), backend='x'), ValueError, "resize backend 'x'"),
    (lambda img: imresize(img, (5, 5), interpolation='x'), KeyError, "interpolation 'x'"),
    (lambda img: imresize(img, (5, 5), interpolation='area', backend='pillow'), KeyError,
     "of pillow 'area'"),
    (lambda img: imresize(img / 2, (5, 5), backend='pillow'), AssertionError, 'not float64'),
    (lambda img: imresize_to_multiple(img, 8), ValueError, 'exactly one of both'),
    (lambda img: imresize_to_multiple(img, 8, 5, 2), ValueError, 'exactly one of both'),
    (lambda img: rescale_size((5, 5), -1), ValueError, 'a scale is positive'),
    (lambda img: imrescale(img, [5, 5]), TypeError, r'a tuple \(width, height\), not \[5, 5\]'),
])
def test_wrong_arguments_are_explained(photo, call, kind, message):
    with pytest.raises(kind, match=message) as error:
        call(photo)
    assert isinstance(error.value, ConfigError | ConfigTypeError)
