"""Resize and crop in one, against both in turn."""
import cv2
import numpy as np
import pytest

from mmseg.datasets.pipelines import RandomCrop, Resize, resized_crop
from mmseg.datasets.pipelines.resized_crop import ResizedCrop, resize_window


@pytest.fixture
def noise():
    """The hardest image: noise, so that each wrong weight shows, and labels that differ alike."""
    random = np.random.RandomState(0)
    return random.randint(0, 256, (61, 94, 3)).astype(np.uint8), random.randint(
        0, 9, (61, 94)).astype(np.uint8)


@pytest.fixture
def from_the_window(monkeypatch):
    monkeypatch.setattr(resized_crop, 'LARGE', 1)


def make_sample(noise, **more):
    img, label = noise
    return dict(img=img, img_shape=img.shape, pad_shape=img.shape, gt_semantic_seg=label,
                gt_extra=label.astype(np.int32) + 1000,
                seg_fields=['gt_semantic_seg', 'gt_extra'], **more)


RESIZES = [
    dict(img_scale=(94, 61), ratio_range=(0.4, 2.0)),
    dict(img_scale=(150, 90), ratio_range=(0.5, 3.0), keep_ratio=False),
    dict(img_scale=[(60, 40), (200, 170)], multiscale_mode='range'),
    dict(img_scale=(188, 122)),
    dict(img_scale=(47, 30), keep_ratio=False),
]


def run_both(noise, resize, crop, seed):
    resize, crop = Resize(**resize), RandomCrop(**crop)
    np.random.seed(seed)
    expected = crop(resize(make_sample(noise)))
    after = np.random.rand()
    np.random.seed(seed)
    results = ResizedCrop(resize, crop)(make_sample(noise))
    assert np.random.rand() == after
    return expected, results


def assert_but_for_the_image_equal(results, expected):
    assert set(results) == set(expected)
    for key in set(expected) - {'img'}:
        np.testing.assert_array_equal(results[key], expected[key], err_msg=key)
        assert getattr(results[key], 'dtype', None) == getattr(expected[key], 'dtype', None)


@pytest.mark.parametrize('resize', RESIZES)
@pytest.mark.parametrize('crop', [
    dict(crop_size=(30, 40), cat_max_ratio=0.13), dict(crop_size=(200, 50))])
def test_small_images_are_those_of_both_in_turn(noise, resize, crop):
    for seed in range(20):
        expected, results = run_both(noise, resize, crop, seed)
        assert_but_for_the_image_equal(results, expected)
        np.testing.assert_array_equal(results['img'], expected['img'])


@pytest.mark.parametrize('resize', RESIZES)
def test_a_window_of_a_large_image_is_that_of_the_whole_up_to_rounding(noise, resize,
                                                                       from_the_window):
    different = []
    for seed in range(40):
        expected, results = run_both(noise, resize, dict(crop_size=(30, 40), cat_max_ratio=0.13),
                                     seed)
        assert_but_for_the_image_equal(results, expected)
        difference = cv2.absdiff(results['img'], expected['img'])
        assert difference.max() <= 1
        different.append((difference > 0).mean())
    assert np.mean(different) < 0.002


def test_a_frame_enlarged_to_8_million_pixels(shared_dir):
    file = next((shared_dir / 'data/voc-mini/VOCdevkit/VOC2012/JPEGImages').iterdir())
    img = cv2.resize(cv2.imread(str(file)), (2048, 1024), interpolation=cv2.INTER_CUBIC)
    random = np.random.RandomState(0)
    different = []
    for _ in range(8):
        width, height = random.randint(2048, 4097), random.randint(1024, 2049)
        top, left = random.randint(height - 512), random.randint(width - 1024)
        part = np.s_[top:top + 512, left:left + 1024]
        expected = cv2.resize(img, (width, height))[part]
        difference = cv2.absdiff(resize_window(img, (width, height), part, exact=False), expected)
        assert difference.max() <= 1
        different.append((difference > 0).mean())
        np.testing.assert_array_equal(
            resize_window(img, (width, height), part, exact=True), expected)
    assert np.mean(different) < 0.002


def test_only_the_window_of_the_source_is_read(noise, from_the_window, monkeypatch):
    sizes = []
    whole = cv2.resize
    monkeypatch.setattr(resized_crop.cv2, 'resize', lambda img, *args, **kwargs: sizes.append(
        img.size) or whole(img, *args, **kwargs))
    np.random.seed(5)
    ResizedCrop(Resize(img_scale=(188, 122)), RandomCrop((20, 20)))(make_sample(noise))

    assert max(size for size in sizes if size > 100) < noise[0].size / 4


def test_what_does_not_fit_goes_the_plain_way(noise, from_the_window):
    resize, crop = Resize(img_scale=(188, 122)), RandomCrop((30, 40))
    img, label = noise
    for sample in (dict(make_sample(noise), img=img.astype(np.float32)),
                   dict(make_sample(noise), gt_extra=label[:50])):
        np.random.seed(0)
        expected = crop(resize(dict(sample)))
        np.random.seed(0)
        results = ResizedCrop(resize, crop)(dict(sample))

        assert_but_for_the_image_equal(results, expected)
        np.testing.assert_array_equal(results['img'], expected['img'])


def test_a_scale_that_is_set_already_is_kept(noise):
    results = ResizedCrop(Resize(), RandomCrop((20, 20)))(make_sample(noise, scale=(188, 122)))

    assert results['scale_factor'].tolist() == [2, 2, 2, 2]
    assert results['img'].shape == results['img_shape'] == results['pad_shape'] == (20, 20, 3)
