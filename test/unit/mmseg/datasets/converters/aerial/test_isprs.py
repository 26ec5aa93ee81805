"""Potsdam and Vaihingen: tiles in archives of archives, against windows cut pixel by pixel."""
import io

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError, UnsupportedImageError
from mmseg.datasets import ISPRSDataset, PotsdamDataset
from mmseg.datasets.converters.aerial.potsdam import convert_potsdam
from mmseg.datasets.converters.aerial.vaihingen import convert_vaihingen

from ..plain_tiles import assert_same, contents, plain_labels, plain_windows, scene, zipped

tifffile = pytest.importorskip('tifffile')

# RGB of borders, impervious surfaces, buildings, low vegetation, trees, cars and clutter.
COLOURS = [(0, 0, 0), (255, 255, 255), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0),
           (255, 0, 0)]
LABELS = {colour: label for label, colour in enumerate(COLOURS)}


def tiff(array, **how):
    content = io.BytesIO()
    tifffile.imwrite(content, array, photometric='rgb', **(dict(rowsperstrip=7) | how))
    return content.getvalue()


class Potsdam:
    convert = staticmethod(convert_potsdam)
    dataset = PotsdamDataset
    sizes = dict(train={'2_10': (70, 90), '7_9': (64, 64)}, val={'5_15': (65, 33)})
    name = '{}'.format
    label_file = 'top_potsdam_2_10_label_noBoundary.tif'
    elsewhere = {'top_potsdam_2_10_RGBIR.tif': b'', 'top_potsdam_2_10_label.tif': b''}

    def archives(self, scenes):
        self.images = {f'top_potsdam_{number}_RGB.tif': tiff(scenes[number][0])
                       for number in scenes} | {'top_potsdam_2_10_RGB.tfw': b'0.05'}
        self.labels = {f'top_potsdam_{number}_label_noBoundary.tif':
                       tiff(scenes[number][1], compression='zlib') for number in scenes}
        return {'2_Ortho_RGB.zip': ('2_Ortho_RGB/', self.images),
                '5_Labels_all_noBoundary.zip': ('', self.labels),
                '1_DSM.zip': ('', self.elsewhere)}


class Vaihingen(Potsdam):
    convert = staticmethod(convert_vaihingen)
    dataset = ISPRSDataset
    tiles = dict(tile=(16, 16))
    sizes = dict(train={'1': (70, 90), '37': (64, 64)}, val={'2': (65, 33)})
    name = 'area{}'.format
    label_file = 'top_mosaic_09cm_area1_noBoundary.tif'

    def archives(self, scenes):
        self.images = {f'top_mosaic_09cm_area{number}.tif': tiff(scenes[number][0])
                       for number in scenes}
        self.labels = {f'top_mosaic_09cm_area{number}_noBoundary.tif':
                       tiff(scenes[number][1], **self.tiles) for number in scenes}
        # The labels for participants have the names of the images.
        decoys = {f'gts_for_participants/top_mosaic_09cm_area{number}.tif': b''
                  for number in scenes}
        self.images = {f'top/{name}': data for name, data in self.images.items()} | decoys
        return {'ISPRS_semantic_labeling_Vaihingen.zip': ('', self.images),
                'ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE.zip':
                ('', self.labels), 'other.zip': ('', {})}


@pytest.fixture(params=[Potsdam, Vaihingen])
def city(request, tmp_path):
    """A city of three small tiles, unpacked; `city.pack` changes that."""
    city = request.param()
    city.scenes = {number: scene(seed, *size, COLOURS) for seed, (number, size) in enumerate(
        [*city.sizes['train'].items(), *city.sizes['val'].items()])}
    city.source, city.out = tmp_path / 'archives', tmp_path / 'out'
    city.places = city.archives(city.scenes)
    write(city, 'folders')
    return city


def write(city, kind):
    """Write the archives as folders, as zips, or as zips in a zip."""
    city.source.mkdir(exist_ok=True)
    zips = {name: zipped({inner + file: data for file, data in files.items()})
            for name, (inner, files) in city.places.items()}
    if kind == 'folders':
        for name, (inner, files) in city.places.items():
            for file, data in files.items():
                path = city.source / name[:-4] / inner / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    elif kind == 'zips':
        for name, data in zips.items():
            (city.source / name).write_bytes(data)
    else:
        (city.source / 'City.zip').write_bytes(
            zipped({f'City/{name}': data for name, data in zips.items()}))


def expected(city, clip, stride):
    files = {}
    for split, sizes in city.sizes.items():
        for number, size in sizes.items():
            image, colours = city.scenes[number]
            labels = plain_labels(colours, LABELS)
            for top, bottom, left, right in plain_windows(size, (clip, clip), (stride, stride)):
                bottom, right = min(bottom, size[0]), min(right, size[1])
                name = f'{split}/{city.name(number)}_{left}_{top}_{right}_{bottom}.png'
                files[f'img_dir/{name}'] = image[top:bottom, left:right]
                files[f'ann_dir/{name}'] = labels[top:bottom, left:right]
    return files


@pytest.mark.parametrize('kind', ['folders', 'zips', 'zips in a zip'])
def test_windows_and_masks(city, kind, tmp_path):
    if kind != 'folders':
        city.source = tmp_path / 'packed'
        write(city, kind)
    counts = city.convert(city.source, city.out, clip_size=32, nproc=2)
    files = expected(city, 32, 32)
    assert_same(contents(city.out), files)
    assert counts == {split: sum(name.startswith(f'img_dir/{split}') for name in files)
                      for split in ('train', 'val')}


@pytest.mark.parametrize(('clip', 'stride'), [(32, 16), (40, 25), (512, None)])
def test_sizes(city, clip, stride):
    """A stride is the distance of the windows; without one they lie side by side."""
    city.convert(city.source, city.out, clip_size=clip, stride_size=stride)
    assert_same(contents(city.out), expected(city, clip, stride or clip))


def test_the_data_set_reads_them(city):
    city.convert(city.source, city.out, clip_size=32)
    dataset = city.dataset(pipeline=[], img_dir='img_dir/val', ann_dir='ann_dir/val',
                           data_root=str(city.out))
    number, = city.sizes['val']
    stem = dataset.img_infos[0]['filename'][:-4]
    left, top, right, bottom = map(int, stem.split('_')[-4:])
    labels = plain_labels(city.scenes[number][1], LABELS)[top:bottom, left:right]
    np.testing.assert_array_equal(dataset.get_gt_seg_map(0), np.where(labels == 0, 255, labels - 1))


def test_masks_have_the_colours_of_the_labels(city):
    city.convert(city.source, city.out, clip_size=512)
    name = city.name([*city.sizes['val']][0])
    path, = city.out.glob(f'ann_dir/val/{name}_*.png')
    with Image.open(path) as mask:
        np.testing.assert_array_equal(np.array(mask.convert('RGB')), [*city.scenes.values()][2][1])


def test_another_place_to_unpack(city, tmp_path):
    city.source = tmp_path / 'packed'
    write(city, 'zips in a zip')
    city.convert(city.source, city.out, clip_size=512, tmp_dir=tmp_path / 'unpacked')
    assert list((tmp_path / 'unpacked').iterdir()) == []
    assert_same(contents(city.out), expected(city, 512, 512))


def strange(city, colour):
    """Write the labels of the first tile with another colour in 63 of its 6300 pixels."""
    number = [*city.scenes][0]
    colours = city.scenes[number][1].copy()
    colours.reshape(-1, 3)[1000:1062] = colour
    colours[-1, -1] = (255, 0, 255)
    path, = city.source.rglob(city.label_file)
    path.write_bytes(tiff(colours))
    return number, colours


def check_nothing_is_left(city):
    """After an error the folder of the output is as before: it was not there."""
    assert not city.out.exists()


@pytest.mark.parametrize(('nproc', 'unknown'), [(1, 'error'), (2, 'nearest')])
def test_a_colour_that_no_class_has(city, nproc, unknown):
    colour = (252, 255, 0) if unknown == 'error' else (174, 255, 0)
    strange(city, colour)
    with pytest.raises(DataError, match=(
            rf'{city.label_file}: 1\.00% of the pixels have colours \(RGB\) of no class: '
            rf'\({colour[0]}, 255, 0\) 0\.98%, \(255, 0, 255\) 0\.02%\. The classes have '
            r'\(0, 0, 0\), \(255, 255, 255\).*--unknown ignore')):
        city.convert(city.source, city.out, clip_size=32, stride_size=16, nproc=nproc,
                     unknown=unknown)
    check_nothing_is_left(city)


def test_strange_colours_ignored(city, caplog):
    number, colours = strange(city, (252, 255, 0))
    city.scenes[number] = city.scenes[number][0], colours
    with caplog.at_level('WARNING'):
        city.convert(city.source, city.out, clip_size=32, stride_size=16, unknown='ignore')
    assert (f'{city.label_file}: 1.00% of the pixels have colours (RGB) of no class: '
            '(252, 255, 0) 0.98%, (255, 0, 255) 0.02%, and are ignored') in caplog.text
    LABELS_AND_STRANGE = LABELS | {(252, 255, 0): 0, (255, 0, 255): 0}
    labels = plain_labels(colours, LABELS_AND_STRANGE)
    found = contents(city.out)
    for name, mask in found.items():
        if name.startswith(f'ann_dir/train/{city.name(number)}_'):
            left, top, right, bottom = map(int, name[:-4].split('_')[-4:])
            np.testing.assert_array_equal(mask, labels[top:bottom, left:right])


def test_labels_that_were_stored_with_losses(city, caplog):
    """Of Potsdam's archive two tiles: in 6_7 cars have 252 for 255, 4_12 has 24,850 colours."""
    number = [*city.scenes][0]
    image, colours = city.scenes[number]
    lossy = np.random.RandomState(0).randint(1, 81, colours.shape).astype(np.uint8)
    lossy[:3] = 0
    path, = city.source.rglob(city.label_file)
    path.write_bytes(tiff(np.where(colours == 255, colours - lossy, lossy)))
    with caplog.at_level('WARNING'):
        city.convert(city.source, city.out, clip_size=32, stride_size=16)
    assert_same(contents(city.out), expected(city, 32, 16))
    share = 100 * (len(colours) - 3) / len(colours)
    assert (f'{city.label_file}: {share:.2f}% of the pixels have colours near those of classes'
            in caplog.text)


def test_labels_of_another_size(city):
    path, = city.source.rglob(city.label_file)
    path.write_bytes(tiff(np.zeros((70, 80, 3), np.uint8)))
    with pytest.raises(DataError, match=rf'{city.label_file} has 80 x 70 pixels, but its image .* '
                                        '90 x 70: fetch both again'):
        city.convert(city.source, city.out, clip_size=32)
    check_nothing_is_left(city)


def test_labels_of_several_pages(city):
    path, = city.source.rglob(city.label_file)
    path.write_bytes(tiff(np.zeros((2, 70, 90, 3), np.uint8)))
    with pytest.raises(UnsupportedImageError, match=rf'{city.label_file}: a TIFF of 3 bands .* 2 '
                                                    'pages.*store one image a file'):
        city.convert(city.source, city.out, clip_size=32)
    check_nothing_is_left(city)


def test_images_of_more_bands(city):
    """Near infrared after red, green and blue is left out, as PNGs have no place for it."""
    number = [*city.scenes][0]
    image = scene(7, *city.sizes['train'][number], COLOURS, bands=4)[0]
    city.scenes[number] = image[..., :3], city.scenes[number][1]
    path = next(path for path in city.source.rglob('*.tif') if path.read_bytes() and
                tifffile.imread(path).shape == image.shape[:2] + (3,) and
                path.name != city.label_file and 'label' not in path.name)
    path.write_bytes(tiff(image, extrasamples=['unspecified']))
    city.convert(city.source, city.out, clip_size=32)
    assert_same(contents(city.out), expected(city, 32, 32))


def test_missing_labels(city):
    path, = city.source.rglob(city.label_file)
    path.unlink()
    with pytest.raises(DataError, match='archives lacks the labels of 1 images for train: '
                                        rf'{[*city.scenes][0]}\nexpected, packed'):
        city.convert(city.source, city.out)
    check_nothing_is_left(city)


def test_a_split_without_images(city, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match='empty has no images for train\nexpected, packed'):
        city.convert(tmp_path / 'empty', city.out)
    check_nothing_is_left(city)


def test_damaged_tile(city):
    path, = city.source.rglob(city.label_file)
    content = path.read_bytes()
    path.write_bytes(content[:-len(content) // 4])
    with pytest.raises(DataError, match=rf'{city.label_file}.*truncated.*again'):
        city.convert(city.source, city.out, clip_size=32)
    check_nothing_is_left(city)


def test_an_error_leaves_what_was_there(city):
    strange(city, (128, 128, 128))
    city.out.mkdir()
    (city.out / 'mine.txt').write_text('mine')
    with pytest.raises(DataError):
        city.convert(city.source, city.out, clip_size=32)
    assert [path.name for path in city.out.rglob('*')] == ['mine.txt']


@pytest.mark.parametrize(('options', 'told'), [({}, True), (dict(clip_size=32), False)])
def test_the_numbers_of_the_complete_archives(city, caplog, options, told):
    with caplog.at_level('WARNING'):
        city.convert(city.source, city.out, **options)
    full = 'train 344, val 398' if city.dataset is ISPRSDataset else 'train 3,456, val 2,016'
    assert (f'train 2, val 1 windows; the complete archives give {full}. Published'
            in caplog.text) == told


def test_sizes_that_leave_gaps(city):
    with pytest.raises(ConfigError, match='--clip_size and --stride_size: windows of 32 x 32'):
        city.convert(city.source, city.out, clip_size=32, stride_size=33)
