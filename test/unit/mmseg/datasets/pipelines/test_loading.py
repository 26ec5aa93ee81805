import pickle

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.fileio import FileClient
from mmcv_replace.fileio.file_client import BaseStorageBackend
from mmcv_replace.utils.errors import ConfigError, DataError


@pytest.fixture
def results(data_root):
    def make(number=0, **kwargs):
        return dict(img_info=dict(filename=f'{number}.jpg'), img_prefix=str(data_root / 'img'),
                    ann_info=dict(seg_map=f'{number}.png'), seg_prefix=str(data_root / 'ann'),
                    seg_fields=[], **kwargs)
    return make


@pytest.fixture
def write_mask(data_root):
    def write(array):
        Image.fromarray(array).save(data_root / 'ann' / '0.png')
    return write


def test_an_image_and_what_is_known_of_it(build, results, data_root):
    loaded = build('LoadImageFromFile')(results())
    expected = cv2.imread(str(data_root / 'img' / '0.jpg'))

    np.testing.assert_array_equal(loaded['img'], expected)
    assert loaded['filename'] == str(data_root / 'img' / '0.jpg')
    assert loaded['ori_filename'] == '0.jpg'
    assert loaded['img_shape'] == loaded['ori_shape'] == loaded['pad_shape'] == (30, 44, 3)
    assert loaded['scale_factor'] == 1.0
    norm = loaded['img_norm_cfg']
    assert (norm['mean'].tolist(), norm['std'].tolist(), norm['to_rgb']) == ([0] * 3, [1] * 3,
                                                                           False)


def test_the_prefix_may_be_missing(build, data_root):
    for prefix in ({}, dict(img_prefix=None)):
        info = dict(filename=str(data_root / 'img' / '0.jpg'))
        assert build('LoadImageFromFile')(dict(prefix, img_info=info))['img'].shape == (30, 44, 3)


def test_options_of_loading_an_image(build, results):
    as_float = build('LoadImageFromFile', to_float32=True)(results())
    gray = build('LoadImageFromFile', color_type='grayscale')(results())
    palette = dict(results(), img_info=dict(filename='../ann/0.png'))
    colours = build('LoadImageFromFile', color_type='unchanged')(dict(palette))
    indices = build('LoadImageFromFile', color_type='unchanged', imdecode_backend='pillow')(
        dict(palette))

    assert as_float['img'].dtype == np.float32
    assert gray['img'].shape == (30, 44)
    assert gray['img_norm_cfg']['mean'].shape == (1,)
    assert colours['img'].shape == (30, 44, 3)
    assert indices['img'].shape == (30, 44)


def test_files_come_through_the_file_client(build, results, data_root):
    class Moved(BaseStorageBackend):
        def __init__(self, root):
            self.root = root

        def get(self, filepath):
            return (self.root / filepath.removeprefix('store:/')).read_bytes()

    FileClient.register_backend('moved', Moved)
    try:
        client = dict(backend='moved', root=data_root)
        sample = dict(results(), img_prefix='store:/img', seg_prefix='store:/ann')
        sample = build('LoadImageFromFile', file_client_args=client)(sample)
        sample = build('LoadAnnotations', file_client_args=client)(sample)
    finally:
        del FileClient.backends['moved']

    assert sample['img'].shape == (30, 44, 3)
    assert sample['gt_semantic_seg'].shape == (30, 44)


@pytest.mark.parametrize('client', [
    dict(backend='fsspec'), dict(backend='fsspec', path_mapping={'/data/': 'memory://bucket/'}),
    dict(prefix='memory'), dict(backend='views')])
def test_files_in_an_object_store(build, results, data_root, client):
    """Of fsspec, and of a backend whose contents are views of memory, as those of petrel."""
    system = pytest.importorskip('fsspec').filesystem('memory')
    system.put(str(data_root), '/bucket', recursive=True)

    @FileClient.register_backend('views')
    class Views(BaseStorageBackend):
        def get(self, filepath):
            return memoryview(system.cat_file(filepath))

    root = '/data' if 'path_mapping' in client else 'memory://bucket'
    sample = dict(results(), img_prefix=f'{root}/img', seg_prefix=f'{root}/ann')
    load = [build(kind, file_client_args=client) for kind in (
        'LoadImageFromFile', 'LoadAnnotations')]
    try:
        for step in load:
            sample = step(sample)
    finally:
        system.rm('/bucket', recursive=True)

    expected = build('LoadAnnotations')(build('LoadImageFromFile')(results()))
    for key in ('img', 'gt_semantic_seg'):
        np.testing.assert_array_equal(sample[key], expected[key])
    if client != dict(backend='views'):  # whose class is inside of this function
        again = pickle.loads(pickle.dumps(load[0]))  # as for data workers
        assert again.client is load[0].client


def test_a_mask_is_loaded_beside_its_image(build, results, data_root):
    loaded = build('LoadAnnotations')(build('LoadImageFromFile')(results()))

    np.testing.assert_array_equal(loaded['gt_semantic_seg'],
                                  np.array(Image.open(data_root / 'ann' / '0.png')))
    assert loaded['gt_semantic_seg'].dtype == np.uint8
    assert loaded['seg_fields'] == ['gt_semantic_seg']


def test_a_mask_loaded_twice_or_in_several_views_is_one_label_map(build, results, write_mask):
    write_mask(np.arange(30 * 44, dtype=np.uint8).reshape(30, 44) % 4)
    load, shared = build('LoadAnnotations'), results()

    twice = load(load(results()))
    views = [load(dict(shared)) for _ in range(2)]

    for loaded in (twice, *views):
        assert loaded['seg_fields'] == ['gt_semantic_seg']
    assert shared['seg_fields'] == []


def test_zero_never_wraps_but_is_ignored(build, results, write_mask):
    write_mask(np.array([[0, 1, 2, 254, 255]], np.uint8))

    reduced = build('LoadAnnotations', reduce_zero_label=True)(results())
    other = build('LoadAnnotations', reduce_zero_label=True)(results(ignore_index=200))

    assert reduced['gt_semantic_seg'].tolist() == [[255, 0, 1, 253, 255]]
    assert other['gt_semantic_seg'].tolist() == [[200, 0, 1, 253, 200]]


def test_the_label_map_comes_before_reduce_zero_label(build, results, write_mask):
    write_mask(np.array([[0, 1, 2, 3, 255]], np.uint8))
    label_map = {0: 1, 1: 0, 2: 3, 3: 255}

    mapped = build('LoadAnnotations')(results(label_map=label_map))
    both = build('LoadAnnotations', reduce_zero_label=True)(results(label_map=label_map))

    assert mapped['gt_semantic_seg'].tolist() == [[1, 0, 3, 255, 255]]
    assert both['gt_semantic_seg'].tolist() == [[0, 255, 2, 255, 255]]


def test_values_are_checked_after_they_are_renumbered(build, results, write_mask):
    write_mask(np.array([[0, 1, 2, 3, 255]], np.uint8))
    load = build('LoadAnnotations')
    reduce = build('LoadAnnotations', reduce_zero_label=True)

    load(results(num_classes=4))
    reduce(results(num_classes=3))
    load(results(num_classes=1, label_map={1: 255, 2: 255, 3: 255}))
    with pytest.raises(DataError, match=r'ann/0\.png: the mask holds 3, but the 3 classes'):
        load(results(num_classes=3))
    with pytest.raises(DataError, match='holds 2, but the 2 classes'):
        reduce(results(num_classes=2))
    with pytest.raises(DataError, match='holds 255, but .* ignored pixels 3'):
        load(results(num_classes=3, ignore_index=3))


@pytest.mark.parametrize(('shape', 'hint'), [
    ((29, 44), False), ((44, 30), True), ((60, 88), False)])
def test_a_mask_of_another_size_names_both_files_and_sizes(build, results, write_mask, shape, hint):
    write_mask(np.zeros(shape, np.uint8))
    loaded = build('LoadImageFromFile')(results())

    with pytest.raises(DataError) as caught:
        build('LoadAnnotations')(loaded)

    message = str(caught.value)
    assert f'ann/0.png: the mask is {shape[0]} x {shape[1]} (height x width)' in message
    assert 'img/0.jpg is 30 x 44' in message
    assert ('EXIF' in message) is hint


def test_an_rgb_mask_is_refused(build, results, write_mask):
    write_mask(np.random.RandomState(0).randint(0, 255, (30, 44, 3)).astype(np.uint8))

    with pytest.raises(DataError, match=r'ann/0\.png: the mask has 3 channels'):
        build('LoadAnnotations')(results())


def test_masks_may_be_decoded_by_opencv(build, results, write_mask):
    label = np.random.RandomState(0).randint(0, 5, (30, 44)).astype(np.uint8)
    write_mask(label)

    loaded = build('LoadAnnotations', imdecode_backend='cv2')(results())

    np.testing.assert_array_equal(loaded['gt_semantic_seg'], label)


def test_damaged_and_missing_files_are_named(build, results, data_root):
    (data_root / 'ann' / '0.png').write_bytes((data_root / 'ann' / '0.png').read_bytes()[:-20])
    (data_root / 'img' / '0.jpg').write_bytes(b'no image')

    with pytest.raises(DataError, match=r'ann/0\.png: the file is truncated'):
        build('LoadAnnotations')(results())
    with pytest.raises(DataError, match=r'img/0\.jpg: cv2 cannot decode the image'):
        build('LoadImageFromFile')(results())
    with pytest.raises(DataError, match=r'cannot read .*ann/9\.png.*the mask of a sample'):
        build('LoadAnnotations')(results(9))


def test_a_dataset_without_masks_is_told_so(build, results):
    for info in (None, {}):
        with pytest.raises(ConfigError, match='the dataset has no masks; give it ann_dir'):
            build('LoadAnnotations')(dict(results(), ann_info=info))


@pytest.fixture
def bands(tmp_path):
    """`bands(suffix, array, **arrays)`: a sample of a file with them."""
    def write(name, img=None, **arrays):
        file = tmp_path / name
        if name.endswith('.npz'):
            np.savez(file, **arrays)
        elif name.endswith('.npy'):
            np.save(file, img)
        else:
            tifffile = pytest.importorskip('tifffile')
            tifffile.imwrite(file, img, photometric='minisblack', planarconfig='contig')
        return dict(img_info=dict(filename=name), img_prefix=str(tmp_path),
                    ann_info=dict(seg_map=name), seg_prefix=str(tmp_path), seg_fields=[])
    return write


FIVE = np.random.RandomState(0).randint(0, 2**16, (20, 24, 5)).astype(np.uint16)


@pytest.mark.parametrize('name', ['a.tif', 'a.npy'])
@pytest.mark.parametrize('kind', ['uint16', 'float32', 'int32'])
def test_all_bands_of_a_file(build, bands, name, kind):
    img = FIVE.astype(kind)
    loaded = build('LoadImageFromFile', color_type='bands', channels=5)(bands(name, img))
    assert loaded['img'].dtype == ('uint16' if kind == 'uint16' else 'float32')
    np.testing.assert_array_equal(loaded['img'], img)
    assert loaded['img_shape'] == loaded['ori_shape'] == (20, 24, 5)
    assert loaded['img_norm_cfg']['mean'].shape == (5,)
    assert not loaded['img_norm_cfg']['to_rgb']


def test_three_bands_are_rgb(build, results, data_root):
    rgb = build('LoadImageFromFile', color_type='bands', channels=3)(results())
    bgr = build('LoadImageFromFile')(results())
    np.testing.assert_array_equal(rgb['img'], bgr['img'][..., ::-1])
    assert rgb['img_norm_cfg']['to_rgb']
    grey = build('RGB2Gray')
    np.testing.assert_allclose(grey(dict(rgb))['img'], grey(dict(bgr))['img'])
    norm = dict(mean=[120.0, 110, 100], std=[60.0, 58, 57])
    one = build('Normalize', to_rgb=False, **norm)(dict(rgb))
    other = build('Normalize', to_rgb=True, **norm)(dict(bgr))
    np.testing.assert_array_equal(one['img'], other['img'])
    assert repr(one['img_norm_cfg']) == repr(other['img_norm_cfg'])


def test_a_file_of_other_bands_is_named(build, bands, tmp_path):
    with pytest.raises(DataError, match=rf'^{tmp_path}/a.npy: the image has 5 bands .*channels=4'):
        build('LoadImageFromFile', color_type='bands', channels=4)(bands('a.npy', FIVE))


def test_an_array_of_an_archive(build, bands):
    sample = bands('a.npz', scene=FIVE, mask=FIVE[..., 0] % 3, other=FIVE[..., 1] % 3)
    load = build('LoadImageFromFile', color_type='bands', npz_key='scene')
    sample = build('LoadAnnotations')(load(dict(sample, seg_map_key='mask')))
    np.testing.assert_array_equal(sample['img'], FIVE)
    np.testing.assert_array_equal(sample['gt_semantic_seg'], FIVE[..., 0] % 3)
    assert "npz_key='scene'" in repr(load)


@pytest.mark.parametrize('settings', [dict(channels=3), dict(color_type='unchanged', channels=3),
                                      dict(color_type='bands', channels=0)])
def test_channels_are_those_of_bands(build, settings):
    with pytest.raises(ConfigError, match="give 1 or more with color_type='bands'"):
        build('LoadImageFromFile', **settings)
