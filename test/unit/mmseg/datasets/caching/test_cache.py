"""Samples that are kept in memory."""
import copy

import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.shared_store import SharedStore
from mmseg.datasets.caching.cache import SampleCache
from mmseg.datasets.pipelines import Compose, LoadImageFromFile, Resize
from mmseg.datasets.pipelines.fusion import fuse_steps

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
FIXED = dict(type='Resize', img_scale=(40, 30), keep_ratio=False)
RANDOM = dict(type='Resize', img_scale=(40, 30), ratio_range=(0.5, 2.0))


def remembering(steps, level='decoded', max_bytes=10**6):
    store = SharedStore(6, max_bytes)
    memory = SampleCache(store, {(f'{i}.jpg', f'{i}.png'): i for i in range(6)}, level)
    pipeline = Compose(steps)
    pipeline.fusion = lambda steps: fuse_steps(steps, cache=memory)
    return pipeline, store


def run(pipeline, results, seed=0):
    np.random.seed(seed)
    return pipeline(results)


@pytest.mark.parametrize(('steps', 'level'), [
    (LOAD, 'decoded'), ([*LOAD, RANDOM], 'decoded'),
    ([*LOAD, RANDOM, dict(type='RandomCrop', crop_size=(20, 20))], 'decoded'),
    ([*LOAD, FIXED], 'resized'),
    ([*LOAD, FIXED, dict(type='RandomCrop', crop_size=(20, 20))], 'resized')])
def test_samples_are_those_of_the_files_though_these_are_read_once(results, data_root, steps,
                                                                   level):
    plain = [run(Compose(steps), results(i), i) for i in range(6)]
    pipeline, store = remembering(steps, level)
    first = [run(pipeline, results(i), i) for i in range(6)]
    for file in data_root.glob('*/*'):
        file.unlink()
    again = [run(pipeline, results(i), i) for i in range(6)]

    for samples in (first, again):
        np.testing.assert_equal(samples, plain)
    assert all(store.get(slot) for slot in range(6))


def test_the_level_says_what_is_kept(results):
    sizes = {}
    for level in ('decoded', 'resized'):
        pipeline, store = remembering([*LOAD, FIXED], level)
        run(pipeline, results(0))
        sizes[level] = sum(map(len, store.get(0)[1:]))
    assert sizes == {'decoded': 30 * 44 * 4, 'resized': 30 * 40 * 4}


@pytest.mark.parametrize('steps', [LOAD, [*LOAD, dict(type='RandomCrop', crop_size=(99, 99))],
                                   [*LOAD, RANDOM]])
def test_what_a_step_does_to_a_sample_does_not_reach_the_memory(results, steps):
    def spoil(results):
        results['img'][...] = 0
        results['gt_semantic_seg'][...] = 0
        results['seg_fields'].append('other')
        results['img_norm_cfg']['mean'][...] = 9
        return results

    expected = run(Compose(steps), results(0))
    spoiled, _ = remembering([*steps, spoil])
    kept = copy.copy(spoiled)
    for _ in range(2):
        run(spoiled, results(0))
    kept.transforms = spoiled.transforms[:-1]

    np.testing.assert_equal(run(kept, results(0)), expected)


def test_without_room_files_are_read_again(results):
    pipeline, store = remembering(LOAD, max_bytes=8000)
    plain = [run(Compose(LOAD), results(i)) for i in range(6)]
    for _ in range(2):
        np.testing.assert_equal([run(pipeline, results(i)) for i in range(6)], plain)
    assert [store.get(slot) is not None for slot in range(6)] == [True] + [False] * 5


def test_a_sample_that_is_not_listed_is_loaded_as_ever(results):
    pipeline, store = remembering(LOAD)
    odd = dict(results(0), ann_info=dict(seg_map='./0.png'))

    np.testing.assert_equal(run(pipeline, dict(odd)), run(Compose(LOAD), dict(odd)))
    assert store.get(0) is None


def test_a_loader_of_a_user_is_cached_if_it_says_so(results):
    class Grey(LoadImageFromFile):
        def __call__(self, results):
            results = super().__call__(results)
            results['img'] = results['img'].mean(axis=2)
            return results

    class CachedGrey(Grey):
        cache_level = 'decoded'

    class SlowResize(Resize):
        pass

    with pytest.raises(ConfigError, match='begins with Grey'):
        remembering([Grey()])[0]._steps()
    with pytest.raises(ConfigError, match='needs a Resize of one img_scale'):
        remembering([*LOAD, SlowResize((40, 30))], 'resized')[0]._steps()
    pipeline, store = remembering([CachedGrey(), LOAD[1]])
    np.testing.assert_equal(run(pipeline, results(0)), run(Compose([Grey(), LOAD[1]]), results(0)))
    assert store.get(0) is not None


@pytest.mark.parametrize(('steps', 'level', 'message'), [
    ([FIXED], 'decoded', 'begins with Resize'),
    ([], 'decoded', 'begins with None'),
    ([*LOAD, RANDOM], 'resized', 'needs a Resize of one img_scale'),
    (LOAD, 'resized', 'needs a Resize of one img_scale'),
])
def test_pipelines_that_do_not_fit_are_explained(steps, level, message):
    pipeline, _ = remembering(steps, level)
    with pytest.raises(ConfigError, match=message):
        pipeline._steps()
