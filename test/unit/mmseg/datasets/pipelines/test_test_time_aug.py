import logging

import numpy as np
import pytest

from mmcv_replace.image import imrescale
from mmcv_replace.utils.errors import ConfigError

STEPS = [dict(type='Resize', keep_ratio=True), dict(type='RandomFlip')]


def views(build, sample, **kwargs):
    kwargs = dict(transforms=STEPS, img_scale=(112, 80)) | kwargs
    results = build('MultiScaleFlipAug', **kwargs)(sample())
    assert len({len(values) for values in results.values()}) == 1
    return results


def test_one_view(build, sample):
    results = views(build, sample)

    assert [img.shape for img in results['img']] == [(80, 112, 3)]
    assert results['scale'] == [(112, 80)]
    assert results['flip'] == [False]


def test_flips_of_every_scale(build, sample):
    results = views(build, sample, img_scale=[(112, 80), (56, 40)], flip=True)

    assert results['scale'] == [(112, 80), (112, 80), (56, 40), (56, 40)]
    assert results['flip'] == [False, True] * 2
    for scale, flip, img in zip(results['scale'], results['flip'], results['img'], strict=True):
        expected = imrescale(sample()['img'], scale)
        np.testing.assert_array_equal(img, expected[:, ::-1] if flip else expected)


def test_ratios_of_a_scale_and_of_the_image(build, sample):
    of_scale = views(build, sample, img_scale=(100, 81), img_ratios=[0.5, 1.0, 1.75])
    of_image = views(build, sample, img_scale=None, img_ratios=[0.5, 1.5])
    one = views(build, sample, img_ratios=2)

    assert of_scale['scale'] == [(50, 40), (100, 81), (175, 141)]
    assert of_image['scale'] == [(28, 20), (84, 60)]
    assert one['scale'] == [(224, 160)]


def test_directions(build, sample):
    results = views(build, sample, flip=True, flip_direction=['horizontal', 'vertical'])

    assert results['flip'] == [False, False, True, True]
    assert results['flip_direction'] == ['horizontal', 'vertical'] * 2
    np.testing.assert_array_equal(results['img'][3], results['img'][0][::-1])


def test_lists_stand_for_tuples(build, sample):
    assert views(build, sample, img_scale=[112, 80])['scale'] == [(112, 80)]
    assert views(build, sample, img_scale=[[112, 80], [56, 40]])['scale'] == [(112, 80), (56, 40)]


def test_the_views_do_not_share_what_they_change(build, sample):
    original = sample()

    views(build, lambda: original, flip=True)

    assert 'scale' not in original
    np.testing.assert_array_equal(original['img'], sample()['img'])


def test_a_view_is_flipped_once_however_many_flips_there_are(build, sample):
    steps = [dict(type='Resize'), dict(type='RandomFlip', prob=0.5),
             dict(type='RandomFlip', prob=1.0, direction='vertical')]
    state = np.random.get_state()[1].copy()

    results = views(build, sample, transforms=steps, flip=True,
                    flip_direction=['horizontal', 'vertical', 'diagonal'])

    for img, flip, direction in zip(results['img'], results['flip'], results['flip_direction'],
                                    strict=True):
        axes = {'horizontal': 1, 'vertical': 0, 'diagonal': (0, 1)}[direction] if flip else ()
        np.testing.assert_array_equal(img, np.flip(results['img'][0], axes))
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_the_padding_of_a_flipped_view_stays_at_the_right_and_bottom(build, sample):
    """As predictions are cut to the size of the image before they are flipped back."""
    pad = dict(type='Pad', size=(100, 128), pad_val=9)
    before, behind = ([STEPS[0], *order] for order in ((pad, STEPS[1]), (STEPS[1], pad)))
    directions = ['horizontal', 'vertical']

    first, second = (views(build, sample, transforms=steps, flip=True, flip_direction=directions)
                     for steps in (before, behind))

    for one, other in zip(first['img'], second['img'], strict=True):
        np.testing.assert_array_equal(one, other)


def test_steps_before_decide_nothing_about_the_views(build, sample):
    def resized():
        return build('Resize', img_scale=(28, 20))(sample())

    results = views(build, resized, img_scale=[(112, 80), (56, 40)])

    assert [img.shape for img in results['img']] == [(80, 112, 3), (40, 56, 3)]
    assert [factor.tolist() for factor in results['scale_factor']] == [[2.0] * 4, [1.0] * 4]


def test_a_size_of_its_own_is_kept_by_a_later_step(build, sample):
    steps = [*STEPS, dict(type='Resize', img_scale=(30, 30), keep_ratio=False), dict(type='Resize')]

    results = views(build, sample, transforms=steps, flip=True)

    assert [img.shape for img in results['img']] == [(30, 30, 3)] * 2


def test_a_flip_before_the_views_is_refused(build, sample):
    def flipped():
        return build('RandomFlip', prob=0.5)(sample())

    with pytest.raises(ConfigError, match='a RandomFlip before it flips images.*move it into'):
        views(build, flipped)


def test_a_dropped_view_drops_the_sample(build, sample):
    assert build('MultiScaleFlipAug', transforms=[lambda results: None],
                 img_scale=(56, 40))(sample()) is None


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(img_scale=None), 'give img_scale, img_ratios or both'),
    (dict(img_scale=[(1, 2), (3, 4)], img_ratios=[1.0]), 'img_ratios go with one img_scale, not 2'),
])
def test_wrong_settings_are_explained(build, arguments, message):
    with pytest.raises(ConfigError, match=message):
        build('MultiScaleFlipAug', transforms=STEPS, **arguments)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(flip_direction='vertical'), 'flip_direction has no effect with flip=False'),
    (dict(flip=True, transforms=STEPS[:1]), 'flip has no effect without RandomFlip'),
    (dict(flip=True), None),
    ({}, None),
])
def test_settings_without_effect_are_reported(build, caplog, arguments, message):
    with caplog.at_level(logging.WARNING, logger='mmseg'):
        build('MultiScaleFlipAug', **(dict(transforms=STEPS, img_scale=(10, 10)) | arguments))

    warnings = [record.message for record in caplog.records]
    assert len(warnings) == (message is not None)
    assert all(message in warning for warning in warnings)
