"""What holds for the steps that hand samples to albumentations and to torchvision."""
import pickle

import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.shared_store import SharedStore
from mmseg.datasets import build_dataloader, build_dataset
from mmseg.datasets.caching.cache import SampleCache
from mmseg.datasets.pipelines import Compose, Transform
from mmseg.datasets.pipelines.fusion import fuse_steps

from .foreign_words import WORDS
from .step_cases import MISSING, make_sample

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')

# test_registry skips a test for each package that is missing.
pytestmark = [pytestmark, pytest.mark.parametrize('name', [
    name for name in WORDS if name not in MISSING])]


def seeded(step, sample, seed=0):
    np.random.seed(seed)
    return step(sample)


def painted(label, kind='float32', channels=3):
    """An image that shows the labels."""
    values = np.array([0, 40, 90, 150, 220])[label].astype(kind)
    return np.repeat(values[..., None], channels, 2)


@pytest.mark.parametrize('what', ['flip', 'turn', 'warp', 'crop', 'grow'])
def test_image_and_label_maps_are_moved_alike(step, what):
    """Where the image has a label's own value, and so have its neighbours, that label lies."""
    for seed in range(4):
        sample = make_sample(blocks=12)
        sample['img'] = painted(sample['gt_semantic_seg'])
        results = seeded(step(what), sample, seed)
        label, img = results['gt_semantic_seg'], results['img'][..., 0]
        assert label.shape == img.shape
        inner = np.pad(np.ones(np.subtract(label.shape, 4), bool), 2)
        for axis in (0, 1):
            for shift in (-2, -1, 1, 2):
                inner &= np.roll(label, shift, axis) == label
        inner &= label != 255
        assert inner.sum() > 0.2 * inner.size
        np.testing.assert_allclose(img[inner], painted(np.where(inner, label, 0))[inner, 0],
                                   atol=0.5)
        known = label != 255
        assert results['gt_extra'].dtype == np.int32
        np.testing.assert_array_equal(results['gt_extra'][known], label[known] + 100)
        assert set(np.unique(results['gt_extra'])) <= {100, 101, 102, 103, 104, 255}
        assert set(np.unique(label)) <= {0, 1, 2, 3, 4, 255}


@pytest.mark.parametrize('what', ['rotate', 'pad'])
@pytest.mark.parametrize(('options', 'ignore_index', 'expected'), [
    ({}, None, 255), ({}, 254, 254), (dict(seg_pad_val=3), None, 3), ({}, 300, 300), ({}, -1, -1)])
def test_added_pixels_are_ignored(step, what, options, ignore_index, expected):
    sample = make_sample()
    sample['img'][:] = 100
    if ignore_index is not None:
        sample['ignore_index'] = ignore_index
    results = step(what, **options)(sample)

    added = (results['img'] == 0).all(axis=2)
    assert 0.05 * added.size < added.sum() < 0.5 * added.size
    for key, known in (('gt_semantic_seg', range(5)), ('gt_extra', range(100, 105))):
        values = results[key][added]
        # The border of the image is interpolated.
        assert (values == expected).mean() > 0.9
        assert set(np.unique(results[key])) == {*known, expected}


def test_a_label_that_is_no_class_is_refused(step):
    sample = dict(make_sample(), ignore_index=255, num_classes=5)
    with pytest.raises(ConfigError, match='seg_pad_val=9 is none of the 5 classes'):
        step('pad', seg_pad_val=9)(sample)


def test_images_are_interpolated(step):
    sample = make_sample()
    sample['img'][:] = (np.arange(57) // 6 % 2 * 200)[:, None].astype(np.uint8)
    values = np.unique(step('rotate')(sample)['img'])
    assert len(values) > 20


def test_the_library_sees_rgb(step):
    sample = make_sample()
    blue, green, red = np.moveaxis(sample['img'].astype(float), 2, 0)
    results = step('grey')(sample)

    expected = 0.299 * red + 0.587 * green + 0.114 * blue
    for channel in np.moveaxis(results['img'], 2, 0):
        np.testing.assert_allclose(channel, expected, atol=1.1)


def test_a_fill_is_rgb(step):
    results = step('red')(make_sample())
    assert results['img'][-1, -1].tolist() == [0, 0, 200]  # BGR


def test_channels_that_are_rgb_already_stay_in_their_order(step):
    results = step('red')(dict(make_sample(), img_norm_cfg=dict(to_rgb=True)))
    assert results['img'][-1, -1].tolist() == [200, 0, 0]


@pytest.mark.parametrize('what', ['flip', 'turn', 'crop', 'grow', 'pad'])
@pytest.mark.parametrize('kind', ['uint8', 'uint16', 'int16', 'float32', 'float64'])
@pytest.mark.parametrize('channels', [None, 1, 3, 4, 7])
def test_moves_take_images_of_any_kind(step, what, kind, channels):
    """Each channel is moved as it is alone."""
    low, high = {'uint8': (0, 255), 'uint16': (0, 60000), 'int16': (-30000, 30000)}.get(
        kind, (-300, 900))
    noise = np.random.RandomState(0).uniform(low, high, (41, 57, channels or 1)).astype(kind)
    img = noise[..., 0] if channels is None else noise
    made = step(what)
    found = seeded(made, dict(make_sample(), img=img))['img']

    assert found.dtype == kind
    assert found.ndim == img.ndim
    for channel in range(channels or 1):
        alone = seeded(made, dict(make_sample(), img=noise[..., channel]))['img']
        part = found if channels is None else found[..., channel]
        np.testing.assert_allclose(part.astype(float), alone.astype(float), atol=1e-3 * high
                                   if 'int' not in kind else 1)
    if what == 'flip':
        np.testing.assert_array_equal(found, img[:, ::-1])


@pytest.mark.parametrize('kind', ['float16', 'int64', 'bool'])
def test_other_kinds_are_refused(step, kind):
    sample = make_sample()
    sample['img'] = sample['img'].astype(kind)
    with pytest.raises(ConfigError, match=f'an image of {kind}, but it takes uint8, uint16'):
        step('flip')(sample)


@pytest.mark.parametrize(('kind', 'factor'), [
    ('float32', 1), ('uint16', 100), ('float32', -0.001), ('float64', 1 / 255)])
def test_changes_of_values_are_refused_where_the_library_would_clip(step, name, kind, factor):
    sample = make_sample()
    sample['img'] = (sample['img'] * np.float64(factor)).astype(kind)
    with pytest.raises(ConfigError, match=(
            fr'{name}: transforms\[1\].transforms\[0\] \(ColorJitter\) changes values, and takes '
            f'images of uint8, or of float32 from 0 to 1, but this one is {kind} from .*: load '
            'without to_float32')):
        step('flip', WORDS[name]['one_of'](WORDS[name]['jitter']))(sample)


@pytest.mark.parametrize('factor', [None, np.float32(1 / 255)])
def test_changes_of_values(step, factor):
    sample = make_sample()
    if factor:
        sample['img'] = sample['img'] * factor
    before = sample['img'].copy()
    results = [seeded(step('jitter'), dict(sample), seed)['img'] for seed in (0, 0, 1)]

    assert results[0].dtype == before.dtype
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert not np.array_equal(results[0], before)
    np.testing.assert_array_equal(sample['img'], before)


def test_the_size_is_recorded_and_collect_finds_its_keys(step):
    results = step('crop')(make_sample())
    assert results['img_shape'] == results['pad_shape'] == results['img'].shape == (24, 30, 3)

    collected = Compose([
        step('grow', 'flip'), dict(type='RandomFlip', prob=1.0, direction='vertical'),
        dict(type='Pad', size_divisor=32), dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_semantic_seg'], meta_keys=[
            'img_shape', 'pad_shape', 'flip', 'flip_direction', 'scale_factor'])])(make_sample())
    meta = collected['img_metas'].data
    assert meta == dict(img_shape=(80, 90, 3), pad_shape=(96, 96, 3), flip=True,
                        flip_direction='vertical', scale_factor=1.0)
    assert collected['gt_semantic_seg'].data.shape == (1, 96, 96)


def test_collect_finds_its_keys_without_a_step_that_flips(step):
    collected = Compose([step('flip'), dict(
        type='Collect', keys=['img'], meta_keys=['flip', 'flip_direction'])])(make_sample())
    assert collected['img_metas'].data == dict(flip=False, flip_direction='horizontal')


def without_labels():
    sample = make_sample()
    return {key: value for key, value in sample.items() if key != 'gt_semantic_seg'} | dict(
        seg_fields=[])


def test_a_test_pipeline_may_change_values(step):
    sample = without_labels()
    before = sample['img'].copy()
    results = step('grey')(sample)
    assert not np.array_equal(results['img'], before)
    assert 'flip' not in results


@pytest.mark.parametrize('what', ['flip', 'rotate', 'crop', 'pad'])
def test_a_test_pipeline_may_not_move_pixels(step, name, what):
    with pytest.raises(ConfigError, match=(
            f'{name}: pixels of an image without label maps, as in a test pipeline, were moved')):
        seeded(step(what), without_labels())


def test_before_test_time_augmentation(step):
    views = Compose([step('grey'), dict(
        type='MultiScaleFlipAug', img_scale=(60, 44), flip=True, transforms=[
            dict(type='Resize'), dict(type='RandomFlip')])])(without_labels())
    np.testing.assert_array_equal(views['img'][1], views['img'][0][:, ::-1])


def test_label_maps_of_another_size_are_refused(step, name):
    sample = make_sample()
    sample['gt_extra'] = sample['gt_extra'][::2]
    with pytest.raises(ConfigError, match=(
            fr'{name}: gt_extra has \[21, 57\] pixels, the image \[41, 57\].*SegRescale behind')):
        step('flip')(sample)


def test_a_step_in_another_process(step):
    made = step('turn', 'jitter')
    expected = seeded(made, make_sample())
    copy = seeded(pickle.loads(pickle.dumps(made)), make_sample())
    for key in ('img', 'gt_semantic_seg'):
        np.testing.assert_array_equal(copy[key], expected[key])


@pytest.fixture
def cfg(dataset_cfg, name):
    """A data set with the step between others, one of them a user's."""
    def look(results):
        assert results['img'].flags.c_contiguous
        return results

    words = WORDS[name]
    steps = dataset_cfg['pipeline']
    foreign = dict(type=name, transforms=[words['one_of'](words['turn'], words['warp']),
                                          words['jitter'], words['crop']])
    steps[2:4] = [dict(type='Resize', img_scale=(60, 50), keep_ratio=False), look, foreign, look]
    steps[-3] = dict(type='Pad', size=(32, 32))
    return dataset_cfg


def batches(cfg, workers, epoch, start=0):
    loader = build_dataloader(build_dataset(cfg), 2, workers, seed=3)
    loader.sampler.set_epoch(epoch, start)
    return [(batch['img'].data[0], batch['gt_semantic_seg'].data[0]) for batch in loader]


def equal(first, second):
    return len(first) == len(second) and all(
        torch.equal(one, other) for pair in zip(first, second, strict=True)
        for one, other in zip(*pair, strict=True))


def test_the_number_of_workers_and_a_resume_change_nothing(cfg):
    expected = batches(cfg, 0, epoch=1)

    assert equal(batches(cfg, 1, epoch=1), expected)
    assert equal(batches(cfg, 3, epoch=1), expected)
    assert equal(batches(cfg, 1, epoch=1, start=4), expected[2:])
    others = batches(cfg, 0, epoch=2)
    # Other draws, and not only another order.
    assert not any(torch.equal(img, other) for images, _ in expected for img in images
                   for others_, _ in others for other in others_)


class Look(Transform):
    """A user's step."""

    def apply_image(self, img, params):
        return img


@pytest.mark.parametrize('steps', [[], [Look()], [dict(type='Resize', img_scale=(60, 44))]])
def test_after_cached_steps(data_root, step, steps):
    """The store's arrays, which cannot be written to, give what the files give."""
    load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
    pipeline, plain = (Compose([*load, *steps, step('turn', 'jitter')]) for _ in range(2))
    store = SharedStore(1, 10**6)
    memory = SampleCache(store, {('0.jpg', '0.png'): 0}, 'decoded')
    pipeline.fusion = lambda parts: fuse_steps(parts, cache=memory)
    plain.fusion = None

    def sample():
        return dict(img_info=dict(filename='0.jpg'), ann_info=dict(seg_map='0.png'),
                    img_prefix=str(data_root / 'img'), seg_prefix=str(data_root / 'ann'),
                    seg_fields=[], num_classes=4)

    for seed in (0, 0, 1):
        found, expected = seeded(pipeline, sample(), seed), seeded(plain, sample(), seed)
        for key in ('img', 'gt_semantic_seg'):
            np.testing.assert_array_equal(found[key], expected[key])
    assert store.get(0) is not None
