import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError

from .plain_steps import random_crop


def slow_crop(img, label, crop_size, cat_max_ratio, ignore_index):
    """The crops of the plain form."""
    results = dict(img=img, gt_semantic_seg=label, seg_fields=['gt_semantic_seg'])
    random_crop(results, crop_size, cat_max_ratio, ignore_index)
    return results['img'], results['gt_semantic_seg']


@pytest.fixture
def patchy(sample):
    """A sample whose label map is mostly one class, with a few others and ignored pixels."""
    results = sample()
    label = np.zeros((40, 56), np.uint8)
    label[:12, :20] = 1
    label[30:, 40:] = 2
    label[20:26, :] = 255
    results['gt_semantic_seg'] = label
    return results


def test_a_window_has_no_padding_of_a_step_before(build, sample):
    padded = build('Pad', size=(64, 64))(sample())

    results = build('RandomCrop', crop_size=(20, 30))(padded)

    assert results['img_shape'] == results['pad_shape'] == (20, 30, 3)


def test_the_ignored_label_is_that_of_the_dataset_unless_told(build, patchy):
    for told, index in ((None, 0), (1, 1), (255, 255)):
        np.random.seed(2)
        expected = slow_crop(patchy['img'], patchy['gt_semantic_seg'], (18, 22), 0.6, index)
        np.random.seed(2)
        results = build('RandomCrop', crop_size=(18, 22), cat_max_ratio=0.6, ignore_index=told)(
            dict(patchy, ignore_index=0))
        np.testing.assert_array_equal(results['img'], expected[0])


@pytest.mark.parametrize('dtype', [np.uint8, np.int32])
@pytest.mark.parametrize('cat_max_ratio', [1.0, 0.95, 0.75, 0.5, 0.01])
@pytest.mark.parametrize('ignore_index', [255, 0])
def test_windows_and_decisions_are_those_of_the_rule(build, patchy, dtype, cat_max_ratio,
                                                     ignore_index):
    step = build('RandomCrop', crop_size=(16, 18), cat_max_ratio=cat_max_ratio,
                 ignore_index=ignore_index)
    label = patchy['gt_semantic_seg'].astype(dtype)
    for seed in range(60):
        np.random.seed(seed)
        img, expected = slow_crop(patchy['img'], label, (16, 18), cat_max_ratio, ignore_index)
        after = np.random.rand()
        np.random.seed(seed)
        results = step(dict(patchy, gt_semantic_seg=label))

        np.testing.assert_array_equal(results['img'], img)
        np.testing.assert_array_equal(results['gt_semantic_seg'], expected)
        assert results['img_shape'] == (16, 18, 3)
        assert np.random.rand() == after


def test_a_smaller_image_is_kept_whole(build, sample):
    both = build('RandomCrop', crop_size=(100, 100))(sample())
    rows = build('RandomCrop', crop_size=(10, 100))(sample())

    np.testing.assert_array_equal(both['img'], sample()['img'])
    assert rows['img'].shape == (10, 56, 3)


def test_without_a_limit_no_label_map_is_needed(build, sample):
    results = build('RandomCrop', crop_size=(10, 12))(dict(img=sample()['img']))

    assert results['img'].shape == (10, 12, 3)


def test_decisions_on_real_masks(build, voc_root):
    from PIL import Image
    step = build('RandomCrop', crop_size=(200, 200), cat_max_ratio=0.75)
    for number, path in enumerate(sorted((voc_root / 'SegmentationClass').iterdir())[:20]):
        label = np.array(Image.open(path))
        np.random.seed(number)
        _, expected = slow_crop(label[..., None], label, (200, 200), 0.75, 255)
        np.random.seed(number)
        results = step(dict(img=label[..., None], gt_semantic_seg=label,
                            seg_fields=['gt_semantic_seg']))
        np.testing.assert_array_equal(results['gt_semantic_seg'], expected)


@pytest.mark.parametrize('crop_size', [(0, 5), (5, -1), (5, 5, 3)])
def test_wrong_sizes_are_explained(build, crop_size):
    with pytest.raises(ConfigError, match=r'RandomCrop: crop_size=.*give \(height, width\)'):
        build('RandomCrop', crop_size=crop_size)
