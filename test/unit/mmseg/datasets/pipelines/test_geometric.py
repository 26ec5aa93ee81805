import numpy as np
import pytest

from mmcv_replace.image import imrotate
from mmcv_replace.utils.errors import ConfigError


@pytest.mark.parametrize('name', ['prob', 'flip_ratio'])
def test_a_flip_is_drawn_once_a_sample(build, sample, name):
    step = build('RandomFlip', **{name: 0.3})
    np.random.seed(5)
    draws = [np.random.rand() < 0.3 for _ in range(50)]

    np.random.seed(5)
    flips = [step(sample())['flip'] for _ in range(50)]

    assert flips == draws
    assert all(type(flip) is bool for flip in flips)


@pytest.mark.parametrize(('direction', 'axis'), [('horizontal', 1), ('vertical', 0)])
def test_a_flip_mirrors_image_and_labels(build, sample, direction, axis):
    flipped = build('RandomFlip', prob=1.0, direction=direction)(sample())
    kept = build('RandomFlip', prob=0.0, direction=direction)(sample())

    for key in ('img', 'gt_semantic_seg', 'gt_extra'):
        np.testing.assert_array_equal(flipped[key], np.flip(sample()[key], axis))
        np.testing.assert_array_equal(kept[key], sample()[key])
    assert (flipped['flip'], flipped['flip_direction']) == (True, direction)
    assert (kept['flip'], kept['flip_direction']) == (False, direction)


def test_a_flip_that_is_decided_already_is_done(build, sample):
    state = np.random.get_state()[1].copy()

    results = build('RandomFlip')(dict(sample(), flip=True, flip_direction='vertical'))

    np.testing.assert_array_equal(results['img'], sample()['img'][::-1])
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(('directions', 'told', 'axes'), [
    (('horizontal', 'vertical'), (True, 'diagonal'), (0, 1)),
    (('vertical', 'horizontal', 'vertical'), (True, 'horizontal'), (1,)),
    (('horizontal', 'horizontal'), (False, 'horizontal'), ())])
def test_each_flip_of_a_pipeline_is_its_own(build, sample, directions, told, axes):
    results = sample()
    for direction in directions:
        results = build('RandomFlip', prob=1.0, direction=direction)(results)

    for key in ('img', 'gt_semantic_seg', 'gt_extra'):
        np.testing.assert_array_equal(results[key], np.flip(sample()[key], axes))
    assert (results['flip'], results['flip_direction']) == told


def test_each_flip_draws(build, sample):
    steps = [build('RandomFlip', prob=0.5), build('RandomFlip', prob=0.3, direction='vertical')]
    np.random.seed(7)
    draws = [(np.random.rand() < 0.5, np.random.rand() < 0.3) for _ in range(30)]
    assert len(set(draws)) == 4

    np.random.seed(7)
    for columns, rows in draws:
        results = sample()
        for step in steps:
            results = step(results)
        expected = sample()['img'][::-1 if rows else 1, ::-1 if columns else 1]
        np.testing.assert_array_equal(results['img'], expected)
        assert results['flip'] == (rows or columns)


def test_wrong_flips_are_explained(build, sample):
    for arguments, message in [
            (dict(prob=1.5), 'prob=1.5 is no probability'),
            (dict(prob=0.5, direction='diagonal'), "'diagonal': choose one of horizontal, vertic"),
            (dict(prob=0.5, flip_ratio=0.5), 'flip_ratio is the former name of prob')]:
        with pytest.raises(ConfigError, match=message):
            build('RandomFlip', **arguments)
    with pytest.raises(ConfigError, match='prob is missing'):
        build('RandomFlip')(sample())


def test_pad_to_a_size(build, sample):
    results = build('Pad', size=(50, 60), pad_val=9, seg_pad_val=77)(sample())

    assert results['img'].shape == results['pad_shape'] == (50, 60, 3)
    assert results['img_shape'] == (40, 56, 3)
    assert (results['pad_fixed_size'], results['pad_size_divisor']) == ((50, 60), None)
    for key, value in (('img', 9), ('gt_semantic_seg', 77), ('gt_extra', 77)):
        np.testing.assert_array_equal(results[key][:40, :56], sample()[key])
        assert (results[key][40:] == value).all()
        assert (results[key][:, 56:] == value).all()


def test_pad_to_a_multiple_with_default_values(build, sample):
    results = build('Pad', size_divisor=32)(sample())

    assert results['img'].shape == (64, 64, 3)
    assert results['gt_semantic_seg'].shape == (64, 64)
    assert (results['img'][40:] == 0).all()
    assert (results['gt_semantic_seg'][:, 56:] == 255).all()
    assert results['pad_size_divisor'] == 32


def test_pad_with_a_colour(build, sample):
    results = build('Pad', size=(50, 60), pad_val=(1, 2, 3))(sample())

    assert (results['img'][40:] == (1, 2, 3)).all()


def test_wrong_paddings_are_explained(build, sample):
    for arguments in ({}, dict(size=(5, 5), size_divisor=2)):
        with pytest.raises(ConfigError, match='Pad: give either size or size_divisor'):
            build('Pad', **arguments)
    with pytest.raises(ConfigError, match='cannot pad an image of 40 x 56'):
        build('Pad', size=(30, 90))(sample())


@pytest.mark.parametrize('degree', [25.0, (-5, 40)])
def test_rotation_draws_whether_and_how_far(build, sample, degree):
    step = build('RandomRotate', prob=0.5, degree=degree, pad_val=3, seg_pad_val=44)
    low, high = degree if isinstance(degree, tuple) else (-degree, degree)
    np.random.seed(1)
    draws = [(np.random.rand() < 0.5, np.random.uniform(low, high)) for _ in range(20)]

    np.random.seed(1)
    for rotated, angle in draws:
        results = step(sample())
        expected = sample()
        if rotated:
            expected['img'] = imrotate(expected['img'], angle, border_value=3)
            expected['gt_semantic_seg'] = imrotate(
                expected['gt_semantic_seg'], angle, border_value=44, interpolation='nearest')
        np.testing.assert_array_equal(results['img'], expected['img'])
        np.testing.assert_array_equal(results['gt_semantic_seg'], expected['gt_semantic_seg'])


def test_corners_are_filled_as_asked(build, sample):
    arguments = dict(prob=1.0, degree=(44.9, 45))
    plain = build('RandomRotate', **arguments)(sample())
    coloured = build('RandomRotate', pad_val=(7, 8, 9), seg_pad_val=3, **arguments)(sample())

    assert (plain['img'][0, 0].tolist(), plain['gt_semantic_seg'][0, 0]) == ([0, 0, 0], 255)
    assert (coloured['img'][0, 0].tolist(), coloured['gt_semantic_seg'][0, 0]) == ([7, 8, 9], 3)


def test_rotation_around_a_center(build, sample):
    results = build('RandomRotate', prob=1.0, degree=(180, 180), center=(10, 10))(sample())

    np.testing.assert_array_equal(results['img'][:21, :21], sample()['img'][20::-1, 20::-1])


def test_auto_bound_enlarges_image_and_labels(build, sample):
    results = build('RandomRotate', prob=1.0, degree=(90, 90), auto_bound=True)(sample())

    np.testing.assert_array_equal(results['img'], np.rot90(sample()['img'], -1))
    np.testing.assert_array_equal(results['gt_semantic_seg'],
                                  np.rot90(sample()['gt_semantic_seg'], -1))
    assert results['img_shape'] == results['pad_shape'] == (56, 40, 3)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(prob=-0.1, degree=5), 'prob=-0.1 is no probability'),
    (dict(prob=0.5, degree=0), 'degree=0: give a positive number'),
    (dict(prob=0.5, degree=(1, 2, 3)), r'degree=\(1, 2, 3\): give'),
])
def test_wrong_rotations_are_explained(build, arguments, message):
    with pytest.raises(ConfigError, match=message):
        build('RandomRotate', **arguments)
