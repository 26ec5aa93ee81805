"""Segmentation maps drawn over images."""
import cv2
import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.visualization import overlay

PALETTE = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]
TINT = [224, 224, 224]  # of what is black in a palette


@pytest.fixture
def picture():
    rng = np.random.default_rng(0)
    img = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return img, rng.integers(0, 5, (6, 8), dtype=np.uint8)


def by_pixel(img, label_map, palette, opacity, tint=TINT):
    out = np.zeros_like(img)
    for y, x in np.ndindex(*label_map.shape):
        color = palette[label_map[y, x]]
        red, green, blue = tint if color == [0, 0, 0] else color
        for channel, value in enumerate((blue, green, red)):
            out[y, x, channel] = int(img[y, x, channel] * (1 - opacity) + value * opacity)
    return out


@pytest.mark.parametrize('opacity', [0.5, 0.25, 1.0])
def test_blend(build_tiny, picture, opacity):
    img, label_map = picture
    before = img.copy()
    expected = by_pixel(img, label_map, PALETTE, opacity)
    for result in (label_map, [label_map], [label_map.astype(np.int32)]):
        painted = build_tiny().show_result(img, result, PALETTE, opacity=opacity)
        assert np.array_equal(painted, expected)
    assert np.array_equal(img, before)


def test_palette_of_the_model_and_of_voc(build_tiny, picture):
    img, label_map = picture
    model = build_tiny()
    voc = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert np.array_equal(model.show_result(img, label_map), by_pixel(img, label_map, voc, 0.5))
    model.PALETTE = PALETTE
    assert np.array_equal(model.show_result(img, label_map),
                          by_pixel(img, label_map, PALETTE, 0.5))


def test_labels_without_a_colour_are_black(build_tiny, picture):
    img, label_map = picture
    label_map[0] = 255
    painted = build_tiny().show_result(img, label_map, PALETTE, opacity=1)
    assert painted[0].max() == 0


def test_files(build_tiny, picture, tmp_path):
    img, label_map = picture
    source, target = tmp_path / 'in.png', tmp_path / 'new folder' / 'out.png'
    cv2.imwrite(str(source), img)
    painted = build_tiny().show_result(str(source), [label_map], PALETTE, out_file=str(target),
                                       show=True)
    assert np.array_equal(painted, by_pixel(img, label_map, PALETTE, 0.5))
    assert np.array_equal(cv2.imread(str(target)), painted)


@pytest.mark.parametrize('convert', [
    lambda img: img[..., 0], lambda img: img[..., :1], lambda img: img[..., :2],
    lambda img: np.concatenate([img, img[..., :1]], 2), lambda img: np.concatenate([img, img], 2),
    lambda img: img.astype(np.uint16) * 200, lambda img: img.astype(np.float32) / 255])
def test_images_of_other_channels_and_values(build_tiny, picture, convert):
    img, label_map = picture
    img[0, 0], img[0, 1] = 0, 255
    other = convert(img)
    few = other.ndim == 2 or other.shape[2] < 3
    expected = by_pixel(img[..., [0, 0, 0]] if few else img, label_map, PALETTE, 0.5)
    assert np.array_equal(build_tiny().show_result(other, label_map, PALETTE), expected)


def test_a_file_without_colours(build_tiny, picture, tmp_path):
    img, label_map = picture
    source = tmp_path / 'in.tiff'
    cv2.imwrite(str(source), img[..., 0].astype(np.float32) / 255)
    painted = build_tiny().show_result(source, label_map, PALETTE, out_file=tmp_path / 'out.png')
    assert np.array_equal(painted, by_pixel(img[..., [0, 0, 0]], label_map, PALETTE, 0.5))
    with pytest.raises(DataError, match=r'no\.png'):
        build_tiny().show_result(tmp_path / 'no.png', label_map)


def test_a_kind_of_file_without_colours(build_tiny, picture, tmp_path):
    img, label_map = picture
    with pytest.raises(DataError, match=r'out\.pgm: files of this kind hold no coloured picture'):
        build_tiny().show_result(img, label_map, out_file=str(tmp_path / 'out.pgm'))


def test_window(build_tiny, picture, monkeypatch):
    img, label_map = picture
    calls = []
    for name in ('imshow', 'waitKey', 'destroyWindow'):
        monkeypatch.setattr(overlay.cv2, name, lambda *args, name=name: calls.append((name, *args)))
    painted = build_tiny().show_result(img, label_map, PALETTE, 'title', show=True, wait_time=1.5)
    assert calls[0][:2] == ('imshow', 'title')
    assert np.array_equal(calls[0][2], painted)
    assert calls[1:] == [('waitKey', 1500), ('destroyWindow', 'title')]


def test_no_window_system(build_tiny, picture, monkeypatch):
    def fail(*args):
        raise cv2.error('not implemented')

    monkeypatch.setattr(overlay.cv2, 'imshow', fail)
    with pytest.raises(ConfigError, match='out_file'):
        build_tiny().show_result(*picture, show=True)


@pytest.mark.parametrize(('change', 'error', 'message'), [
    (dict(opacity=0), ConfigError, 'opacity=0 '), (dict(opacity=1.5), ConfigError, 'opacity=1.5'),
    (dict(palette=[1, 2, 3]), ConfigError, r'shape \(3,\)'),
    (dict(result=np.zeros((3, 4), np.uint8)), DataError, '6 x 8, the label map 3 x 4')])
def test_what_cannot_be_painted(build_tiny, picture, change, error, message):
    img, label_map = picture
    with pytest.raises(error, match=message):
        build_tiny().show_result(**{**dict(img=img, result=label_map), **change})


# ------------------------------------------------------------------ class 0


@pytest.mark.parametrize('value', [0, 128])
@pytest.mark.parametrize('opacity', [0.5, 1.0])
def test_a_black_class_is_visible(value, opacity):
    """Over a black image, and as something else than a darker one."""
    img = np.full((2, 2, 3), value, np.uint8)
    painted = overlay.draw_overlay(img, np.zeros((2, 2), int), PALETTE, opacity)
    assert painted.min() > value + 40
    assert PALETTE[0] == [0, 0, 0]


def test_the_tint_of_a_black_class_is_unlike_the_other_colours():
    def painted(*others):
        return overlay.draw_overlay(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), int),
                             [[0, 0, 0], *others], 1.0)[0, 0].astype(int)

    for others in ([[255, 255, 255]], [[220, 220, 220]], [[255, 255, 255], [160, 160, 160]]):
        assert min(np.abs(painted(*others) - other).sum() for other in others) > 90


@pytest.mark.parametrize('result', [
    torch.zeros(6, 8, dtype=torch.long), np.zeros((6, 8)), np.zeros((6, 8), bool),
    np.full((6, 8), -1), np.zeros((6, 8, 1), int), [[0, 1]]])
def test_a_result_that_is_no_label_map(build_tiny, picture, result):
    with pytest.raises(DataError, match='a result is a label map, an array'):
        build_tiny().show_result(picture[0], [result], PALETTE)


# ------------------------------------------------------------------ legend


def test_a_legend_stands_beside_the_picture(build_tiny):
    rng = np.random.default_rng(0)
    img = rng.integers(0, 256, (120, 90, 3), dtype=np.uint8)
    label_map = np.zeros((120, 90), int)
    label_map[:50], label_map[50:60] = 1, 3
    model = build_tiny()
    model.CLASSES = ('road', 'tree', 'sky', 'car')
    plain = model.show_result(img, label_map, PALETTE)
    listed = model.show_result(img, label_map, PALETTE, legend=True)
    assert listed.shape[0] == 120
    assert np.array_equal(listed[:, :90], plain)
    strip = listed[:, 90:].reshape(-1, 3)[:, ::-1]
    found = {tuple(color) for color in np.unique(strip, axis=0).tolist()}
    assert {(224, 224, 224), (255, 0, 0), (0, 0, 255)} <= found  # swatches, in RGB
    assert (0, 255, 0) not in found  # no pixel is sky
    # Names are drawn: others give another picture, and a class more a longer one.
    model.CLASSES = ('road', 'bush', 'sky', 'car')
    other = model.show_result(img, label_map, PALETTE, legend=True)
    assert other.shape[0] == 120
    assert not np.array_equal(other[:, 90:], listed[:, 90:])


def test_a_legend_that_is_longer_than_the_picture():
    img = np.full((10, 12, 3), 7, np.uint8)
    label_map = np.arange(120).reshape(10, 12) % 40
    listed = overlay.draw_overlay(img, label_map, [[0, 0, 0], [9, 9, 9]], 0.5, legend=True)
    plain = overlay.draw_overlay(img, label_map, [[0, 0, 0], [9, 9, 9]], 0.5)
    assert listed.shape[0] >= 40 * 12
    assert np.array_equal(listed[:10, :12], plain)
    assert listed[10:, :12].min() == 255
