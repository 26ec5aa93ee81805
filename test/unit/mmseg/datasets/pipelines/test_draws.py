"""What random steps tell of their draws is what they have done."""
import re
from contextlib import nullcontext

import cv2
import numpy as np
import pytest

from mmcv_replace.image import imrotate
from mmcv_replace.utils import build_from_cfg
from mmseg.datasets import PIPELINES
from mmseg.datasets.pipelines.draws import hearing, is_heard, tell

from .step_cases import CASES, MISSING, make_sample


def run(name, seed, img, **options):
    step = build_from_cfg(dict(type=name, **options), PIPELINES)
    np.random.seed(seed)
    sample = dict(img=img, img_shape=img.shape, seg_fields=['gt_semantic_seg'],
                  gt_semantic_seg=np.zeros(img.shape[:2], np.uint8))
    with hearing() as draws:
        changed = step(sample)
    return draws, changed['img']


@pytest.fixture
def img():
    small = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return cv2.resize(small, (70, 50))


def test_only_the_innermost_step_is_heard():
    tell(lost=1)
    assert not is_heard()
    with hearing() as outer:
        tell(a=1)
        with hearing() as inner:
            tell(b=2)
        tell(c=3)
    assert (outer, inner, is_heard()) == (dict(a=1, c=3), dict(b=2), False)


@pytest.mark.parametrize('seed', range(4))
def test_geometry(img, seed):
    draws, changed = run('RandomFlip', seed, img, prob=0.5, direction='vertical')
    expected = {'no': img, 'vertical': img[::-1]}[draws['flip']]
    assert np.array_equal(changed, expected)

    draws, changed = run('RandomCrop', seed, img, crop_size=(20, 30))
    top, left = draws['top'], draws['left']
    assert np.array_equal(changed, img[top:top + 20, left:left + 30])

    draws, changed = run('Resize', seed, img, img_scale=(100, 60), ratio_range=(0.5, 2.0))
    assert draws['size'] == f'{changed.shape[1]} x {changed.shape[0]}'
    width, height = map(int, draws['scale'].split(' x '))
    assert abs(width / height - 100 / 60) < 0.05

    draws, changed = run('RandomRotate', seed, img, prob=0.5, degree=40)
    if draws == {'rotate': 'no'}:
        assert np.array_equal(changed, img)
    else:
        assert np.array_equal(changed, imrotate(img, draws['degrees']))

    draws, changed = run('RandomCutOut', seed, img, prob=0.7, n_holes=(1, 3), cutout_shape=(9, 5))
    expected = img.copy()
    for hole in draws['holes'] if draws['holes'] != 'none' else ():
        expected[hole['top']:hole['top'] + hole['height'],
                 hole['left']:hole['left'] + hole['width']] = 0
    assert np.array_equal(changed, expected)


@pytest.mark.parametrize('seed', range(12))
def test_colours(img, seed):
    """The changes, made one after the other from what was told, give nearly the same values."""
    draws, changed = run('PhotoMetricDistortion', seed, img)
    values = img
    for name, told in draws.items():
        number = re.search(r'[-+]?[\d.]+', told)
        if name == 'unchanged':
            assert not set(told.split(', ')) & set(draws)
        elif name == 'brightness':
            values = np.clip(values + np.float32(number[0]), 0, 255).astype(np.uint8)
        elif name == 'contrast':
            values = np.clip(values * np.float32(number[0]), 0, 255).astype(np.uint8)
        else:
            hsv = cv2.cvtColor(values, cv2.COLOR_BGR2HSV)
            if name == 'hue':
                hsv[..., 0] = (hsv[..., 0].astype(int) + int(number[0]) // 2) % 180
            else:
                hsv[..., 1] = np.clip(hsv[..., 1] * np.float32(number[0]), 0, 255)
            values = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    assert np.abs(values.astype(int) - changed).mean() < 1.5
    all_names = {*draws, *draws.get('unchanged', '').split(', ')} - {'unchanged', ''}
    assert all_names == {'brightness', 'contrast', 'saturation', 'hue'}


def test_a_mosaic_tells_its_centre(img):
    step = build_from_cfg(dict(type='RandomMosaic', prob=1.0, img_scale=(50, 70)), PIPELINES)
    others = [dict(img=np.full_like(img, value)) for value in (1, 2, 3)]
    np.random.seed(1)
    with hearing() as draws:
        joined = step(dict(img=img, mix_results=others, seg_fields=[]))['img']
    across, down = map(int, re.fullmatch(r'x (\d+), y (\d+)', draws['center']).groups())
    assert (joined[down, across] == 3).all()
    assert (joined[down - 1, across] == 1).all()
    assert (joined[down, across - 1] == 2).all()
    assert draws['joined'] == 'yes'
    step.prob = 0
    with hearing() as draws:
        step(dict(img=img))
    assert draws == {'joined': 'no'}


def test_albumentations_tell_what_was_applied(img):
    pytest.importorskip('albumentations')
    transforms = [dict(type='HorizontalFlip', p=0.5), dict(type='RandomCrop', height=20, width=30),
                  dict(type='GaussNoise', p=0.0)]
    seen = set()
    for seed in range(6):
        draws, changed = run('Albu', seed, img, transforms=transforms)
        left, top, right, bottom = draws['RandomCrop']['crop_coords']
        flipped = img[:, ::-1] if 'HorizontalFlip' in draws else img
        assert np.array_equal(changed, flipped[top:bottom, left:right])
        assert 'GaussNoise' not in draws
        seen.add('HorizontalFlip' in draws)
        assert 'shape' not in draws['RandomCrop']
    assert seen == {True, False}
    assert run('Albu', 0, img, transforms=transforms[2:])[0] == {'applied': 'none'}


def test_torchvision_tells_what_was_applied(img):
    if 'TorchvisionTransform' in MISSING:
        pytest.skip(MISSING['TorchvisionTransform'])
    transforms = [dict(type='RandomHorizontalFlip', p=0.5), dict(type='RandomCrop', size=(20, 30)),
                  dict(type='RandomVerticalFlip', p=0.0)]
    seen = set()
    for seed in range(6):
        draws, changed = run('TorchvisionTransform', seed, img, transforms=transforms)
        top, left = draws['RandomCrop']['top'], draws['RandomCrop']['left']
        flipped = img[:, ::-1] if 'RandomHorizontalFlip' in draws else img
        assert np.array_equal(changed, flipped[top:top + 20, left:left + 30])
        assert 'RandomVerticalFlip' not in draws
        seen.add('RandomHorizontalFlip' in draws)
    assert seen == {True, False}
    assert run('TorchvisionTransform', 0, img, transforms=transforms[2:])[0] == {'applied': 'none'}


@pytest.mark.parametrize(('name', 'transforms'), [
    ('Albu', [dict(type='RandomBrightnessContrast', p=0.7),
              dict(type='RandomCrop', height=20, width=30)]),
    ('TorchvisionTransform', [dict(type='ColorJitter', brightness=0.4),
                              dict(type='RandomCrop', size=(20, 30))])])
def test_being_heard_changes_no_draw(img, name, transforms):
    if name in MISSING:
        pytest.skip(MISSING[name])
    step = build_from_cfg(dict(type=name, transforms=transforms), PIPELINES)
    for seed in range(3):
        samples = []
        for heard in (False, True, False):
            np.random.seed(seed)
            sample = dict(img=img, seg_fields=['m'], m=np.zeros(img.shape[:2], np.uint8))
            with hearing() if heard else nullcontext():
                samples.append(step(sample)['img'])
        assert np.array_equal(samples[0], samples[1])
        assert np.array_equal(samples[0], samples[2])


@pytest.mark.parametrize('name', [
    name for name in CASES if name not in (*MISSING, 'Compose', 'MultiScaleFlipAug')
    and not name.startswith('Load')])
def test_every_step_that_draws_tells(name):
    """All but those that hold other steps, which tell for themselves, and those that load."""
    step = build_from_cfg(dict(type=name, **CASES[name].options), PIPELINES)
    np.random.seed(0)
    before = np.random.get_state()[1:3]
    with hearing() as draws:
        step(make_sample())
    drew = any(not np.array_equal(a, b) for a, b in zip(before, np.random.get_state()[1:3],
                                                        strict=True))
    assert bool(draws) == (drew or name == 'Resize')  # which may have one size to choose from
