"""What code of users, written for mmsegmentation 0.10, reads and overrides of our steps."""
import pickle

import cv2
import numpy as np
import pytest

from mmcv_replace.fileio import FileClient
from mmseg.datasets.pipelines import (
    Compose,
    LoadAnnotations,
    LoadImageFromFile,
    Pad,
    PhotoMetricDistortion,
    RandomCrop,
    Resize,
)
from mmseg.datasets.pipelines.ignored import is_set

# What mmsegmentation 0.10 prints for a step, and the attributes that it has.
SHOWN = {
    'LoadImageFromFile': ({}, "(to_float32=False,color_type='color',imdecode_backend='cv2')"),
    'LoadAnnotations': ({}, "(reduce_zero_label=False,imdecode_backend='pillow')"),
    'RandomRotate': (dict(prob=1.0, degree=10.0), '(prob=1.0, degree=(-10.0, 10.0), pad_val=0, '
                     'seg_pad_val=255, center=None, auto_bound=False)'),
    'RGB2Gray': (dict(out_channels=2), '(out_channels=2, weights=(0.299, 0.587, 0.114))'),
    'AdjustGamma': (dict(gamma=1.2), '(gamma=1.2)'),
    'Rerange': ({}, '(min_value=0, max_value=255)'),
    'CLAHE': (dict(clip_limit=2), '(clip_limit=2, tile_grid_size=(8, 8))'),
    'SegRescale': (dict(scale_factor=0.5), '(scale_factor=0.5)'),
    'PhotoMetricDistortion': ({}, '(brightness_delta=32, contrast_range=(0.5, 1.5), '
                              'saturation_range=(0.5, 1.5), hue_delta=18)'),
}
ATTRIBUTES = {
    'LoadImageFromFile': ({}, dict(file_client_args={'backend': 'disk'}, file_client=None)),
    'Pad': (dict(size=(8, 8)), dict(seg_pad_val=255, pad_val=0, size_divisor=None)),
    'RandomRotate': (dict(prob=1.0, degree=5), dict(seg_pad_val=255, degree=(-5, 5))),
    'RandomCrop': (dict(crop_size=(8, 8)), dict(ignore_index=255, cat_max_ratio=1.0)),
    'RGB2Gray': ({}, dict(weights=(0.299, 0.587, 0.114))),
    'PhotoMetricDistortion': ({}, dict(contrast_lower=0.5, contrast_upper=1.5,
                                       saturation_lower=0.5, saturation_upper=1.5)),
}


@pytest.mark.parametrize('name', SHOWN)
def test_a_step_is_printed_as_before(build, name):
    options, expected = SHOWN[name]
    assert repr(build(name, **options)) == name + expected


@pytest.mark.parametrize(('options', 'expected'), [
    (dict(img_scale=(10, 20), img_ratios=[0.5, 2.0]), [(5, 10), (20, 40)]),
    (dict(img_scale=(10, 20), img_ratios=1.0), [(10, 20)]),
    (dict(img_scale=None, img_ratios=[0.5, 2.0]), None),
])
def test_the_scales_of_the_views_are_an_attribute(build, options, expected):
    step = build('MultiScaleFlipAug', transforms=[dict(type='Resize')], **options)
    assert step.img_scale == expected
    assert step.flip_direction == ['horizontal']


@pytest.mark.parametrize('name', ATTRIBUTES)
def test_attributes_of_a_step(build, name):
    options, expected = ATTRIBUTES[name]
    assert {key: getattr(build(name, **options), key) for key in expected} == expected


def test_the_table_of_a_gamma_is_its_curve(build):
    assert build('AdjustGamma', gamma=2.0).table[[0, 64, 255]].tolist() == [0, 127, 255]


@pytest.mark.parametrize('name', ['Pad', 'RandomRotate', 'RandomCrop'])
def test_a_label_that_nobody_has_set_is_known_as_such_in_a_worker_too(build, name):
    options, _ = ATTRIBUTES[name]
    label = 'ignore_index' if name == 'RandomCrop' else 'seg_pad_val'

    for told, expected in (({}, False), ({label: None}, False), ({label: 255}, True)):
        step = pickle.loads(pickle.dumps(build(name, **options, **told)))
        assert is_set(getattr(step, label)) is expected
        assert getattr(step, label) == 255


def test_a_loading_step_of_users_opens_the_file_client_as_theirs_did(data_root):
    class Own(LoadImageFromFile):
        def __call__(self, results):
            if self.file_client is None:
                self.file_client = FileClient(**self.file_client_args)
            content = self.file_client.get(results['img_info']['filename'])
            results['img'] = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            return results

    name = str(data_root / 'img/0.jpg')
    np.testing.assert_array_equal(Own()(dict(img_info=dict(filename=name)))['img'],
                                  cv2.imread(name))


@pytest.mark.parametrize('step', [LoadImageFromFile, LoadAnnotations])
def test_a_missing_file_is_a_missing_file(step):
    with pytest.raises(FileNotFoundError, match=r'none\.png.* check the folders'):
        step()(dict(img_info=dict(filename='none.png'), ann_info=dict(seg_map='none.png')))


def test_a_crop_of_users_chooses_the_window_and_cuts_it_out(sample):
    class Own(RandomCrop):
        windows = ((0, 8, 0, 8), (3, 11, 5, 13))

        def get_crop_bbox(self, img):
            self.asked = [*getattr(self, 'asked', []), img.shape]
            return self.windows[len(self.asked) - 1]

        def crop(self, img, crop_bbox):
            return super().crop(img, crop_bbox)[::-1]

    plain = sample()
    plain['gt_semantic_seg'][:8, :8] = 1  # one class: the first window is refused
    step = Own(crop_size=(8, 8), cat_max_ratio=0.9)
    results = Compose([dict(type='Resize', img_scale=(56, 40)), step])(dict(plain))

    assert step.asked == [(40, 56, 3)] * 2
    for key in ('img', 'gt_semantic_seg', 'gt_extra'):
        np.testing.assert_array_equal(results[key], plain[key][3:11, 5:13][::-1])
    assert results['img_shape'] == (8, 8, 3)


def test_windows_and_crops_by_themselves(sample):
    step, img = RandomCrop((10, 12)), sample()['img']
    np.random.seed(0)
    expected = np.random.randint(31), np.random.randint(45)
    np.random.seed(0)
    top, bottom, left, right = step.get_crop_bbox(img)

    assert ((top, left), bottom - top, right - left) == (expected, 10, 12)
    np.testing.assert_array_equal(step.crop(img, (1, 5, 2, 9)), img[1:5, 2:9])


def test_sizes_are_drawn_by_the_methods_of_before():
    sizes = [(1333, 800), (900, 400)]
    for seed in range(5):
        np.random.seed(seed)
        place, long, short, factor = (np.random.randint(2), *(
            np.random.randint(low, high) for low, high in ((900, 1334), (400, 801))),
            np.random.random_sample() * 1.5 + 0.5)
        np.random.seed(seed)
        assert Resize.random_select(sizes) == (sizes[place], place)
        assert Resize.random_sample(sizes) == ((long, short), None)
        assert Resize.random_sample_ratio((100, 60), (0.5, 2.0)) == (
            (int(100 * factor), int(60 * factor)), None)


@pytest.mark.parametrize(('method', 'options'), [
    ('random_select', dict(img_scale=[(50, 40), (9, 9)], multiscale_mode='value')),
    ('random_sample', dict(img_scale=[(50, 40), (9, 9)])),
    ('random_sample_ratio', dict(img_scale=(50, 40), ratio_range=(0.5, 2.0)))])
def test_a_resize_of_users_draws_sizes_of_its_own(sample, method, options):
    step = type('Own', (Resize,), {method: staticmethod(lambda *args: ((28, 20), 7))})(**options)

    results = step(sample())

    assert results['img'].shape == (20, 28, 3)
    assert (results['scale'], results['scale_idx']) == ((28, 20), 7)


class DoubleResize(Resize):
    """A step of users that resizes a map which is not in seg_fields."""

    def _resize_seg(self, results):
        super()._resize_seg(results)
        results['edges'] = cv2.resize(results['edges'], results['scale'])


class PlainResize(Resize):
    def _random_scale(self, results):
        results['scale'] = (28, 20)

    def _resize_img(self, results):
        results['img'] = cv2.resize(results['img'], results['scale'])[..., ::-1]
        results['img_shape'] = results['pad_shape'] = results['img'].shape


def test_a_resize_of_users_overrides_its_parts(sample):
    results = DoubleResize(img_scale=(28, 20))(dict(sample(), edges=np.ones((40, 56))))

    plain = Resize(img_scale=(28, 20))(sample())
    assert results.pop('edges').shape == (20, 28)
    assert results.keys() == plain.keys()
    for key, value in plain.items():
        np.testing.assert_array_equal(results[key], value)


def test_a_resize_of_users_has_its_own_way(sample):
    results = PlainResize()(sample())

    np.testing.assert_array_equal(results['img'], cv2.resize(sample()['img'], (28, 20))[..., ::-1])
    assert results['gt_semantic_seg'].shape == (20, 28)
    assert Resize(img_scale=(56, 40))(results)['img'].shape == (40, 56, 3)  # draws for itself
    requested = PlainResize()(dict(sample(), scale=(14, 10)))
    assert requested['img'].shape == (10, 14, 3)


@pytest.mark.parametrize(('step', 'methods'), [
    (Resize(img_scale=(28, 20)), ('_random_scale', '_resize_img', '_resize_seg')),
    (Pad(size=(64, 80), pad_val=3), ('_pad_img', '_pad_seg'))])
def test_parts_of_a_step_make_the_whole(sample, step, methods):
    results = sample()
    for method in methods:
        getattr(step, method)(results)

    whole = step(sample())
    assert results.keys() | {'scale_from'} == whole.keys() | {'scale_from'}
    for key, value in results.items():
        np.testing.assert_array_equal(value, whole[key])


def test_a_pad_of_users_overrides_its_parts(sample):
    class Own(Pad):
        def _pad_img(self, results):
            super()._pad_img(results)
            results['img'][:, -1] = 9

    class Left(Pad):
        def _pad_seg(self, results):
            results['gt_semantic_seg'] = np.zeros((64, 80))

    padded = Own(size=(64, 80), seg_pad_val=7)(sample())
    assert (padded['img'][:, -1] == 9).all()
    assert (padded['gt_semantic_seg'][40:] == 7).all()
    assert Left(size=(64, 80))(sample())['gt_semantic_seg'].shape == (64, 80)


def test_a_distortion_converts_values_linearly():
    step = PhotoMetricDistortion()
    img = np.array([[[0, 100, 200]]], np.uint8)

    assert step.convert(img, alpha=1.5, beta=-20.5).tolist() == [[[0, 129, 255]]]
    assert step.convert(img).tolist() == img.tolist()
    assert step.convert(img).dtype == np.uint8


def test_a_distortion_of_users_converts_otherwise(sample):
    class Own(PhotoMetricDistortion):
        def convert(self, img, alpha=1, beta=0):
            return np.full_like(img, 9)

    step = Own()
    np.random.seed(0)
    changed = [step.brightness(sample()['img']) for _ in range(8)]

    assert {int(img.min()) for img in changed if img.max() == 9} == {9}


def test_a_conversion_of_users_sees_the_image(sample):
    shapes = []

    class Own(PhotoMetricDistortion):
        def convert(self, img, alpha=1, beta=0):
            shapes.append(img.shape)
            return super().convert(img, alpha, beta)

    for seed in range(8):
        np.random.seed(seed)
        changed = Own()(sample())['img']
        np.random.seed(seed)
        np.testing.assert_array_equal(changed, PhotoMetricDistortion()(sample())['img'])
    assert set(shapes) == {(40, 56, 3), (40, 56)}


@pytest.mark.parametrize(('make', 'kind'), [
    (lambda: Compose([1]), TypeError),
    (lambda: Compose(1), AssertionError),
    (lambda: Compose([dict(type='Collect', keys=['depth'])])({}), KeyError),
    (lambda: Compose([dict(type='RandomFlip', prob=1.0)])({}), KeyError),
    (lambda: LoadAnnotations()({}), KeyError),
    (lambda: Compose([dict(type='ToTensor', keys=['x'])])(dict(x='text')), TypeError),
])
def test_errors_are_of_the_types_of_before(make, kind):
    with pytest.raises(kind):
        make()


def test_modules_and_names_of_other_versions():
    from mmseg.datasets.pipelines import formating, formatting, transforms

    assert formatting.Collect is formating.Collect
    assert formating.DC is formatting.DataContainer
    assert transforms.PIPELINES.get('Resize') is transforms.Resize
