"""What holds for every registered step; a new one is a row of `step_cases.CASES`."""
import copy
import inspect
import io
import os
import pickle

import numpy as np
import pytest
import torch

from mmcv_replace.fileio import FileClient, HardDiskBackend
from mmcv_replace.image import imfrombytes
from mmcv_replace.parallel import DataContainer
from mmseg.datasets import PIPELINES
from mmseg.datasets.pipelines import Compose
from mmseg.datasets.pipelines.base import Transform

from .step_cases import CASES, MISSING, VARIANTS, make_sample

PLAIN = [(name, variant) for name, variant in VARIANTS if CASES[name].plain]
MOVED = [(name, variant) for name, variant in VARIANTS if CASES[name].moves]
SEEDS = 4
CHAIN = ('Resize', 'RandomCrop', 'RandomFlip', 'Normalize', 'Pad', 'DefaultFormatBundle', 'Collect')


@pytest.fixture
def start(request):
    """A sample before a step of that name: with its files, or as after loading."""
    class Turned(HardDiskBackend):
        def get(self, filepath):
            head, tail = os.path.split(filepath)
            return super().get(os.path.join(head, {'0': '2'}[tail[0]] + tail[1:]))

    class Archived(HardDiskBackend):
        def get(self, filepath):
            buffer = io.BytesIO()
            np.savez(buffer, img=imfrombytes(super().get(filepath))[::-1], other=np.ones((2, 2)))
            return buffer.getvalue()

    FileClient.register_backend('step_cases', Turned, force=True)
    FileClient.register_backend('step_cases_npz', Archived, force=True)

    def make(name, *args, **kwargs):
        if name.startswith('Load'):
            data_root = request.getfixturevalue('data_root')
            return dict(img_info=dict(filename='0.png'), ann_info=dict(seg_map='0.png'),
                        img_prefix=str(data_root / 'ann'), seg_prefix=str(data_root / 'ann'))
        return make_sample(*args, **kwargs)
    yield make
    del FileClient.backends['step_cases'], FileClient.backends['step_cases_npz']


@pytest.fixture
def run(build, start):
    """Results of a step for several seeds; an error is one, too."""
    def results(name, options, *args, step=None, seeds=SEEDS, **kwargs):
        found = []
        for seed in range(seeds):
            np.random.seed(seed)
            try:
                found.append((step or build(name, **options))(start(name, *args, **kwargs)))
            except Exception as error:
                found.append(str(error))
        return found
    return results


def plain_values(value):
    """A sample as arrays, lists and dicts, which NumPy compares."""
    if isinstance(value, DataContainer):
        settings = (value.stack, value.cpu_only, value.padding_value)
        return [*settings, plain_values(value.data)]
    if isinstance(value, dict):
        return {key: plain_values(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(part) for part in value]
    if isinstance(value, torch.Tensor):
        return ['tensor', value.numpy()]
    return value


def same(first, second):
    """Whether both hold the same values of the same types."""
    def kinds(value):
        if isinstance(value, dict):
            return {key: kinds(part) for key, part in value.items()}
        if isinstance(value, list):
            return [kinds(part) for part in value]
        return (value.dtype, value.shape) if isinstance(value, np.ndarray) else value

    first, second = plain_values(first), plain_values(second)
    if str(kinds(first)) != str(kinds(second)):
        return False
    try:
        np.testing.assert_equal(first, second)
    except AssertionError:
        return False
    return True


def test_the_table_knows_every_step_and_every_option():
    missing = set(PIPELINES) - set(CASES)
    assert not missing, f'add cases of {missing} to CASES in step_cases.py'
    for name, case in CASES.items():
        missing = set(inspect.signature(PIPELINES.get(name)).parameters) ^ set(case.others)
        assert not missing, f'{name}: CASES in step_cases.py needs another value of {missing}'


@pytest.mark.parametrize('name', [name for name, case in CASES.items() if case.foreign])
def test_the_package_of_a_step_is_here(name):
    if name in MISSING:
        pytest.skip(MISSING[name])


@pytest.mark.parametrize('name', CASES)
def test_every_argument_is_annotated_and_documented(name):
    cls = PIPELINES.get(name)

    assert cls.__doc__
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.annotation is not parameter.empty, f'annotate {parameter.name}'


@pytest.mark.parametrize(('name', 'option'), [pair for pair in VARIANTS if pair[1]])
def test_each_option_is_noticed(run, name, option):
    variants = CASES[name].variants()

    assert not same(run(name, variants[option]), run(name, variants[None]))


@pytest.mark.parametrize(('name', 'variant'), VARIANTS)
def test_a_step_shows_its_settings_and_goes_to_a_worker(build, run, name, variant):
    """Its repr makes an equal step, and so does the pickle that reaches a worker."""
    options = CASES[name].variants()[variant]
    step = build(name, **options)
    expected = run(name, options)
    copies = [pickle.loads(pickle.dumps(step))]
    if 'transforms' not in options:
        # Its attributes have the names of the options; others begin with "_".
        copies.append(eval(repr(step), {
            name: PIPELINES.get(name), 'array': lambda values, dtype: values, 'float32': None}))

    for setting in options:
        if setting not in ('transforms', 'flip_ratio'):
            assert f'{setting}=' in repr(step)
    assert name in repr(step)
    for made in copies:
        assert repr(made) == repr(step)
        assert same(run(name, options, step=made), expected)


@pytest.mark.parametrize(('name', 'variant'), [
    pair for pair in VARIANTS if pair != ('LoadAnnotations', 'imdecode_backend')])  # refused
def test_the_arrays_of_the_input_stay_and_a_seed_repeats_the_result(build, start, name, variant):
    step = build(name, **CASES[name].variants()[variant])
    for seed in range(SEEDS):
        results = []
        for _ in range(2):
            sample = start(name)
            arrays = {key: value for key, value in sample.items() if isinstance(value, np.ndarray)}
            before = copy.deepcopy(arrays)
            np.random.seed(seed)
            results.append(step(sample))
            np.testing.assert_equal(arrays, before)
        assert same(*results)


@pytest.mark.parametrize(('name', 'variant'), PLAIN)
def test_values_are_those_of_the_plain_form(build, name, variant):
    """For every kind of image, at odd sizes, with the same draws."""
    case = CASES[name]
    options = case.variants()[variant]
    step = build(name, **options)
    for kind, channels in case.kinds:
        for seed in range(case.seeds):
            expected = make_sample(kind, channels, (35, 53))
            np.random.seed(seed)
            case.plain(expected, **options)
            after = np.random.rand()
            np.random.seed(seed)
            results = step(make_sample(kind, channels, (35, 53)))

            assert np.random.rand() == after
            img = results['img']
            assert img.shape[:2] == expected['img'].shape[:2]
            if channels == 1:  # OpenCV drops the axis of a single channel
                img = img.reshape(expected['img'].shape)
            np.testing.assert_allclose(img.astype(float), expected['img'].astype(float),
                                       rtol=1e-6, atol=case.exact)
            for key in results['seg_fields']:
                assert results[key].dtype == expected[key].dtype
                assert (results[key] == expected[key]).mean() >= case.alike


@pytest.mark.parametrize(('name', 'variant'), MOVED)
def test_image_and_label_maps_are_moved_alike(build, name, variant):
    """The image is one of the label map: where it has a label's own value, that label lies."""
    step = build(name, **CASES[name].variants()[variant])
    values = np.array([200.25, 307.5, 431.125, 599.5, 761.375], np.float32)
    for channels in (1, 3):
        for seed in range(SEEDS):
            sample = make_sample(channels=channels)
            label = sample['gt_semantic_seg']
            sample['img'] = values[label][..., None].repeat(channels, 2)
            np.random.seed(seed)
            results = step(sample)

            shape = results['gt_semantic_seg'].shape
            shown = results['img'].reshape(*shape, channels)[..., :1] == values
            known = shown.any(axis=2)
            assert known.sum() > 0.2 * min(known.size, label.size)
            for key, first in (('gt_semantic_seg', 0), ('gt_extra', 100)):
                assert (results[key] - first == shown.argmax(axis=2))[known].mean() > 0.99


@pytest.mark.parametrize(('name', 'variant'), [pair for pair in VARIANTS if pair[0] in CHAIN])
@pytest.mark.parametrize('kind', ['uint8', 'float32'])
def test_fused_steps_give_the_samples_of_the_steps_in_turn(name, variant, kind):
    variants = {other: CASES[other].variants()[variant if other == name else None]
                for other in CHAIN}
    variants['Pad'] = {**variants['Pad'], 'pad_val': (1, 2, 3)}
    if variants['RandomCrop']['crop_size'][1] > 60 or name == 'Resize':
        variants['Pad'] = dict(size_divisor=16)
    fused, plain = (Compose([dict(options, type=step) for step, options in variants.items()])
                    for _ in range(2))
    plain.fusion = None

    assert [type(step).__name__ for step in fused._steps()][::2] == [
        'ResizedCrop', 'CHWNormalize', 'Collect']
    for seed in range(SEEDS):
        np.random.seed(seed)
        expected = plain(make_sample(kind)), np.random.rand()
        np.random.seed(seed)
        assert same((fused(make_sample(kind)), np.random.rand()), expected)


@pytest.mark.parametrize('name', [name for name in CASES if issubclass(
    PIPELINES.get(name), Transform)])
def test_what_a_class_declares_is_not_inherited(name):
    cls = PIPELINES.get(name)
    changed = type('Changed', (cls,), {})
    declared = type('Declared', (cls,), dict(fusible=True, cache_level='decoded'))

    assert (changed.fusible, changed.cache_level, changed.copies_arrays) == (False, None, False)
    assert (declared.fusible, declared.cache_level) == (True, 'decoded')


@pytest.mark.parametrize(('name', 'variant'), VARIANTS)
def test_what_a_step_declares_is_true(build, start, run, name, variant):
    options = CASES[name].variants()[variant]
    step = build(name, **options)

    if getattr(step, 'copies_arrays', False):
        sample = start(name)
        before = [value for value in sample.values() if isinstance(value, np.ndarray)]
        results = step(sample)
        for key in ('img', *results['seg_fields']):
            assert not any(np.shares_memory(results[key], array) for array in before)
    if getattr(step, 'cache_level', None):
        first, *others = run(name, options)
        assert all(same(result, first) for result in others)
