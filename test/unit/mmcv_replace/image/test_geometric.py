import cv2
import numpy as np
import pytest

from mmcv_replace.image import (
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
from mmcv_replace.utils.errors import ConfigError


def bilinear(img, size):
    """Bilinear interpolation between pixel centres, in float64."""
    (width, height), (rows, columns) = size, img.shape[:2]

    def weights(new, old):
        matrix = np.zeros((new, old))
        for index in range(new):
            position = min(max((index + 0.5) * old / new - 0.5, 0), old - 1)
            lower = int(position)
            matrix[index, lower] += 1 - (position - lower)
            matrix[index, min(lower + 1, old - 1)] += position - lower
        return matrix

    return np.einsum('ij,jkc,lk->ilc', weights(height, rows), img, weights(width, columns))


@pytest.mark.parametrize('size', [(104, 74), (30, 20), (52, 50), (1, 1)])
def test_imresize_interpolates_bilinearly(photo, size):
    resized = imresize(photo, size)

    assert resized.shape == (size[1], size[0], 3)
    assert np.abs(resized - bilinear(photo, size)).max() <= 1.01


@pytest.mark.parametrize('size', [(104, 74), (30, 20), (77, 11)])
def test_imresize_nearest_takes_the_pixel_at_the_scaled_position(label, size):
    rows = np.arange(size[1]) * 37 // size[1]
    columns = np.arange(size[0]) * 52 // size[0]

    np.testing.assert_array_equal(imresize(label, size, interpolation='nearest'),
                                  label[rows][:, columns])


def test_every_interpolation_is_another_one(photo):
    names = ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos')
    results = [imresize(photo, (40, 30), interpolation=name) for name in names]

    for number, one in enumerate(results):
        for other in results[number + 1:]:
            assert not np.array_equal(one, other)


def test_imresize_returns_the_scales_and_writes_to_out(photo):
    out = np.empty((74, 26, 3), np.uint8)

    resized, width_scale, height_scale = imresize(photo, (26, 74), return_scale=True, out=out)

    assert (width_scale, height_scale) == (0.5, 2)
    assert resized is out
    np.testing.assert_array_equal(out, imresize(photo, (26, 74)))


def test_imresize_like_takes_the_size_of_the_other_image(photo, label):
    assert imresize_like(photo, label[:20, :10]).shape == (20, 10, 3)
    assert imresize_like(photo, label[:20, :13], return_scale=True)[1:] == (13 / 52, 20 / 37)
    np.testing.assert_array_equal(
        imresize_like(label, label[:20, :10], interpolation='nearest'),
        imresize(label, (10, 20), interpolation='nearest'))


@pytest.mark.parametrize(('scale', 'expected'), [
    (2, (1000, 750)),
    (0.5, (250, 188)),  # 187.5 is rounded up
    ((1000, 600), (800, 600)),  # the short edge is the limit
    ((600, 1000), (800, 600)),  # the order of the box's edges does not matter
    ((512, 512), (512, 384)),
    ((4096, 375), (500, 375)),
    (0.0001, (1, 1)),
])
def test_rescale_size(scale, expected):
    assert rescale_size((500, 375), scale) == expected


def test_rescale_size_returns_the_factor():
    assert rescale_size((500, 375), (1000, 600), return_scale=True) == ((800, 600), 1.6)
    assert rescale_size((500, 375), 3, return_scale=True) == ((1500, 1125), 3)
    assert rescale_size((500, 375), np.float32(0.5))[0] == 250


@pytest.mark.parametrize('scale', [0, -1, (0, 100), (-5, 5)])
def test_a_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(ConfigError, match='a scale is positive'):
        rescale_size((500, 375), scale)


def test_imrescale_keeps_the_ratio(photo, label):
    np.testing.assert_array_equal(imrescale(photo, (26, 26)), imresize(photo, (26, 19)))
    assert imrescale(photo, 0.5, return_scale=True)[1] == 0.5
    np.testing.assert_array_equal(imrescale(label, 2, interpolation='nearest'),
                                  label.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(('direction', 'expected'), [
    ('horizontal', lambda img: img[:, ::-1]),
    ('vertical', lambda img: img[::-1]),
    ('diagonal', lambda img: img[::-1, ::-1]),
])
def test_imflip(photo, label, direction, expected):
    np.testing.assert_array_equal(imflip(photo, direction), expected(photo))
    np.testing.assert_array_equal(imflip(label, direction), expected(label))

    inplace = photo.copy()
    assert imflip_(inplace, direction) is inplace
    np.testing.assert_array_equal(inplace, expected(photo))


@pytest.mark.parametrize(('angle', 'turns'), [(90, -1), (180, 2), (-90, 1), (0, 0)])
def test_imrotate_turns_clockwise(photo, angle, turns):
    square = np.ascontiguousarray(photo[:37, :37])

    np.testing.assert_array_equal(imrotate(square, angle), np.rot90(square, turns))
    np.testing.assert_array_equal(imrotate(photo, angle, auto_bound=True), np.rot90(photo, turns))


def test_imrotate_fills_every_channel_of_the_border(photo):
    for value, expected in ((7, [7, 7, 7]), ((1, 2, 3), [1, 2, 3])):
        rotated = imrotate(photo, 45, border_value=value)
        np.testing.assert_array_equal(rotated[0, 0], expected)
    assert imrotate(photo, 45)[0, 0].tolist() == [0, 0, 0]


def test_imrotate_around_a_center_and_with_a_scale(photo):
    shifted = imrotate(photo, 180, center=(10, 10))
    np.testing.assert_array_equal(shifted[:21, :21], photo[20::-1, 20::-1][:21, :21])

    larger = imrotate(photo, 0, scale=2, interpolation='nearest')
    assert len(np.unique(larger.reshape(-1, 3), axis=0)) < len(
        np.unique(photo.reshape(-1, 3), axis=0)) / 2


def test_imrotate_with_auto_bound_keeps_all_of_the_image():
    white = np.full((40, 60), 255, np.uint8)

    kept = imrotate(white, 30, auto_bound=True)

    assert kept.shape == (round(40 * np.cos(np.pi / 6) + 60 * 0.5),
                          round(60 * np.cos(np.pi / 6) + 40 * 0.5))
    assert kept.sum() / 255 == pytest.approx(2400, rel=0.01)
    assert imrotate(white, 30).sum() / 255 < 2200


def test_imrotate_interpolates_as_asked(label):
    assert set(np.unique(imrotate(label * 12, 20, interpolation='nearest'))) <= set(
        np.unique(label * 12)) | {0}
    assert not set(np.unique(imrotate(label * 12, 20))) <= set(np.unique(label * 12)) | {0}


def test_imcrop_includes_both_ends(photo):
    np.testing.assert_array_equal(imcrop(photo, np.array([2, 3, 9, 20])), photo[3:21, 2:10])


def test_imcrop_gives_a_list_for_a_list_and_cuts_at_the_border(photo):
    one, other = imcrop(photo, np.array([[0, 0, 4, 4], [-5, 30, 5, 99]]))

    np.testing.assert_array_equal(one, photo[:5, :5])
    np.testing.assert_array_equal(other, photo[30:, :6])


def test_imcrop_scales_the_box_and_fills(photo):
    np.testing.assert_array_equal(imcrop(photo, np.array([10, 10, 19, 19]), scale=2),
                                  photo[5:25, 5:25])
    filled = imcrop(photo, np.array([-2, -1, 4, 4]), pad_fill=(1, 2, 3))
    assert filled.shape == (6, 7, 3)
    assert (filled[0] == (1, 2, 3)).all()
    assert (filled[:, :2] == (1, 2, 3)).all()
    np.testing.assert_array_equal(filled[1:, 2:], photo[:5, :5])


@pytest.mark.parametrize('pad_val', [0, 9, (1, 2, 3)])
def test_impad_to_a_shape_pads_at_the_right_and_bottom(photo, pad_val):
    padded = impad(photo, shape=(40, 60), pad_val=pad_val)

    np.testing.assert_array_equal(padded[:37, :52], photo)
    assert padded.shape == (40, 60, 3)
    assert (padded[37:] == pad_val).all()
    assert (padded[:, 52:] == pad_val).all()


@pytest.mark.parametrize('pad_val', [300, -1, (0, 300, 0), 255.5])
def test_impad_refuses_what_would_wrap(photo, pad_val):
    with pytest.raises(OverflowError, match=r'pad_val=.* is out of the range of uint8, 0 to 255'):
        impad(photo, shape=(40, 60), pad_val=pad_val)
    assert impad(photo.astype(np.float32), shape=(40, 60), pad_val=pad_val).shape == (40, 60, 3)


@pytest.mark.parametrize('mode', ['constant', 'edge', 'reflect', 'symmetric'])
@pytest.mark.parametrize(('padding', 'sides'), [
    (3, (3, 3, 3, 3)), ((1, 2), (1, 2, 1, 2)), ((1, 2, 3, 4), (1, 2, 3, 4))])
def test_impad_by_a_padding(photo, label, mode, padding, sides):
    opencv = {'constant': cv2.BORDER_CONSTANT, 'edge': cv2.BORDER_REPLICATE,
              'reflect': cv2.BORDER_REFLECT_101, 'symmetric': cv2.BORDER_REFLECT}
    left, top, right, bottom = sides
    for img in (photo, label):
        np.testing.assert_array_equal(
            impad(img, padding=padding, padding_mode=mode),
            cv2.copyMakeBorder(img, top, bottom, left, right, opencv[mode]))


@pytest.mark.parametrize(('divisor', 'expected'), [(32, (64, 64)), (1, (37, 52)), (13, (39, 52))])
def test_impad_to_multiple(label, divisor, expected):
    padded = impad_to_multiple(label, divisor, pad_val=255)

    assert padded.shape == expected
    assert (padded == 255).sum() == padded.size - label.size


@pytest.mark.parametrize(('call', 'message'), [
    (lambda img: impad(img), 'either shape or padding'),
    (lambda img: impad(img, shape=(90, 90), padding=2), 'either shape or padding'),
    (lambda img: impad(img, padding=(1, 2, 3)), 'give one, two or four numbers'),
    (lambda img: impad(img, padding=1, pad_val='x'), 'neither a number nor a tuple'),
    (lambda img: impad(img, padding=1, pad_val=(1, 2)), 'one for each of the 3 channels'),
    (lambda img: impad(img, padding=1, padding_mode='wrap'), "'wrap'.*constant, edge"),
    (lambda img: imflip(img, 'sideways'), "'sideways'.*horizontal, vertical, diagonal"),
    (lambda img: imresize(img, (5, 5), interpolation='cubic'), "'cubic'.*bicubic"),
    (lambda img: imrotate(img, 5, interpolation='cubic'), "'cubic'.*bicubic"),
    (lambda img: imrotate(img, 5, center=(1, 1), auto_bound=True), 'give one of both'),
])
def test_wrong_arguments_are_explained(photo, call, message):
    with pytest.raises(ConfigError, match=message):
        call(photo)


def test_an_edge_longer_than_the_shape_stays(photo):
    assert impad(photo, shape=(10, 20)).shape == photo.shape
    np.testing.assert_array_equal(impad(photo, shape=(10, 60), pad_val=9),
                                  impad(photo, padding=(0, 0, 8, 0), pad_val=9))
