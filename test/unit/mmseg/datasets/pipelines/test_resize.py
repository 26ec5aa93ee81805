import numpy as np
import pytest

from mmcv_replace.image import imresize
from mmcv_replace.utils.errors import ConfigError


def scales(step, sample, number=200):
    np.random.seed(3)
    results = [step(sample()) for _ in range(number)]
    return [result['scale'] for result in results], [result['scale_idx'] for result in results]


def test_one_scale_keeping_the_ratio(build, sample):
    results = build('Resize', img_scale=(112, 90))(sample())

    assert results['img'].shape == (80, 112, 3)
    np.testing.assert_array_equal(results['img'], imresize(sample()['img'], (112, 80)))
    np.testing.assert_array_equal(results['gt_semantic_seg'],
                                  sample()['gt_semantic_seg'].repeat(2, 0).repeat(2, 1))
    assert results['img_shape'] == results['pad_shape'] == (80, 112, 3)
    assert results['scale_factor'].tolist() == [2, 2, 2, 2]
    assert results['scale_factor'].dtype == np.float32
    assert results['keep_ratio'] is True
    assert (results['scale'], results['scale_idx']) == ((112, 90), 0)


def test_one_scale_without_keeping_the_ratio(build, sample):
    results = build('Resize', img_scale=(112, 20), keep_ratio=False)(sample())

    np.testing.assert_array_equal(results['img'], imresize(sample()['img'], (112, 20)))
    assert results['gt_semantic_seg'].shape == (20, 112)
    assert results['scale_factor'].tolist() == [2, 0.5, 2, 0.5]
    assert results['keep_ratio'] is False


def test_a_ratio_of_a_scale(build, sample):
    step = build('Resize', img_scale=(100, 60), ratio_range=(0.5, 2.0))

    found, places = scales(step, sample)

    np.random.seed(3)
    ratios = [np.random.random_sample() * 1.5 + 0.5 for _ in found]
    assert found == [(int(100 * ratio), int(60 * ratio)) for ratio in ratios]
    assert set(places) == {None}
    assert min(found)[0] < 60
    assert max(found)[0] > 190


def test_a_ratio_of_the_image(build, sample):
    found, _ = scales(build('Resize', ratio_range=(0.5, 2.0)), sample, 20)

    np.random.seed(3)
    ratios = [np.random.random_sample() * 1.5 + 0.5 for _ in found]
    assert found == [(int(56 * ratio), int(40 * ratio)) for ratio in ratios]


def test_each_resize_of_a_pipeline_is_its_own(build, sample):
    first = build('Resize', img_scale=(112, 80), keep_ratio=False)
    second = build('Resize', img_scale=(28, 40), ratio_range=(1.0, 3.0), keep_ratio=False)
    np.random.seed(3)
    factors = [np.random.random_sample() * 2 + 1 for _ in range(5)]

    np.random.seed(3)
    for factor in factors:
        results = second(first(sample()))
        width, height = int(28 * factor), int(40 * factor)
        assert results['img'].shape == (height, width, 3)
        assert results['gt_semantic_seg'].shape == (height, width)
        np.testing.assert_array_equal(
            results['img'], imresize(imresize(sample()['img'], (112, 80)), (width, height)))
        np.testing.assert_allclose(results['scale_factor'],
                                   [width / 56, height / 40, width / 56, height / 40], rtol=1e-6)


def test_one_of_several_scales(build, sample):
    choices = [(60, 50), (70, 60), (80, 70)]
    step = build('Resize', img_scale=choices, multiscale_mode='value')

    found, places = scales(step, sample)

    np.random.seed(3)
    assert places == [np.random.randint(3) for _ in found]
    assert found == [choices[place] for place in places]
    assert set(places) == {0, 1, 2}


def test_edges_between_two_scales(build, sample):
    step = build('Resize', img_scale=[(90, 50), (60, 70)], multiscale_mode='range')

    found, places = scales(step, sample, 400)

    np.random.seed(3)
    assert found == [(np.random.randint(70, 91), np.random.randint(50, 61)) for _ in found]
    assert set(places) == {None}
    assert {scale[0] for scale in found} == set(range(70, 91))
    assert {scale[1] for scale in found} == set(range(50, 61))


def test_a_scale_that_is_set_already_is_taken(build, sample):
    results = build('Resize', img_scale=(10, 10))(dict(sample(), scale=(112, 80)))

    assert results['img'].shape == (80, 112, 3)
    assert 'scale_idx' not in results


@pytest.mark.parametrize('img_scale', [[112, 90], [[112, 90]], ((112, 90),)])
def test_lists_stand_for_tuples(build, sample, img_scale):
    assert build('Resize', img_scale=img_scale)(sample())['img'].shape == (80, 112, 3)


def test_a_sample_without_label_maps(build, sample):
    results = build('Resize', img_scale=(112, 90))(dict(img=sample()['img']))

    assert results['img'].shape == (80, 112, 3)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(img_scale=(10, 10), multiscale_mode='other'), "multiscale_mode='other': choose 'range'"),
    (dict(img_scale=[(10, 10)] * 2, ratio_range=(1, 2)), 'ratio_range goes with one img_scale'),
    (dict(img_scale=[(10, 10)] * 3), "goes between two sizes, not 3; 'value' chooses one"),
    (dict(img_scale=(10, 10, 10)), r'cannot read img_scale=.*give \(width, height\)'),
    (dict(img_scale=(0.5, 10)), 'cannot read img_scale'),
    (dict(img_scale=(0, 10)), 'cannot read img_scale'),
    (dict(img_scale=[(10,)]), 'cannot read img_scale'),
])
def test_wrong_settings_are_explained(build, arguments, message):
    with pytest.raises(ConfigError, match=message):
        build('Resize', **arguments)


def test_without_a_size_there_is_an_error(build, sample):
    with pytest.raises(ConfigError, match='no size given; set img_scale or ratio_range'):
        build('Resize')(sample())


@pytest.mark.parametrize('factor', [1, 0.5, 2])
def test_seg_rescale_leaves_the_image_alone(build, sample, factor):
    results = build('SegRescale', scale_factor=factor)(sample())

    label = sample()['gt_semantic_seg']
    expected = {1: label, 0.5: label[::2, ::2], 2: label.repeat(2, 0).repeat(2, 1)}[factor]
    np.testing.assert_array_equal(results['gt_semantic_seg'], expected)
    np.testing.assert_array_equal(results['img'], sample()['img'])
