"""iSAID: images and masks in colours of several archives, against windows cut pixel by pixel."""
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets import iSAIDDataset
from mmseg.datasets.converters.aerial.isaid import convert_isaid

from ..plain_tiles import (
    assert_same,
    contents,
    encoded,
    plain_labels,
    plain_windows,
    scene,
    zipped,
)

COLOURS = [(0, 0, 0), (0, 0, 63), (0, 63, 63), (0, 63, 0), (0, 63, 127), (0, 63, 191),
           (0, 63, 255), (0, 127, 63), (0, 127, 127), (0, 0, 127), (0, 0, 191), (0, 0, 255),
           (0, 191, 127), (0, 127, 191), (0, 127, 255), (0, 100, 155)]
LABELS = {colour: label for label, colour in enumerate(COLOURS)}
SUFFIX = '_instance_color_RGB'
SIZES = dict(train={'P0000': (70, 90), 'P0011': (40, 100)}, val={'P0003': (90, 30)},
             test={'P0006': (20, 25)})
SMALL = dict(patch_width=48, patch_height=40, overlap_area=16)


@pytest.fixture
def scenes():
    pairs = [(split, name, size) for split, sizes in SIZES.items() for name, size in sizes.items()]
    return {(split, name): scene(seed, *size, COLOURS)
            for seed, (split, name, size) in enumerate(pairs)}


@pytest.fixture
def source(tmp_path, scenes):
    """The archives as they are offered: parts of images, and the masks of a split in one."""
    for split, sizes in SIZES.items():
        for number, name in enumerate(sizes, 1):
            path = tmp_path / f'iSAID/{split}/images/part{number}.zip'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zipped({f'images/{name}.png': encoded(scenes[split, name][0])}))
        if split != 'test':
            masks = {f'images/{name}{SUFFIX}.png': encoded(scenes[split, name][1])
                     for name in sizes}
            write_masks(tmp_path / 'iSAID', split, masks)
    return tmp_path / 'iSAID'


def write_masks(source, split, masks):
    path = source / split / 'Semantic_masks/images.zip'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zipped(masks))
    # Those of the single objects, which semantic segmentation does not need.
    path = source / split / 'Instance_masks/images.zip'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zipped({'images/P0000_instance_id_RGB.png': b''}))


def expected(scenes, width, height, overlap):
    files = {}
    for (split, name), (image, colours) in scenes.items():
        if split == 'test':  # not cut
            files[f'img_dir/test/{name}.png'] = image
            continue
        labels = plain_labels(colours, LABELS)
        missing = [(0, max(height - image.shape[0], 0)), (0, max(width - image.shape[1], 0))]
        image = np.pad(image, [*missing, (0, 0)])
        labels = np.pad(labels, missing, constant_values=255)
        for top, bottom, left, right in plain_windows(
                image.shape[:2], (height, width), (height - overlap, width - overlap)):
            stem = f'{split}/{name}_{top}_{bottom}_{left}_{right}'
            files[f'img_dir/{stem}.png'] = image[top:bottom, left:right]
            files[f'ann_dir/{stem}{SUFFIX}.png'] = labels[top:bottom, left:right]
    return files


@pytest.mark.parametrize('options', [SMALL, dict(patch_width=20, patch_height=20, overlap_area=0),
                                     dict(patch_width=200, patch_height=100, overlap_area=99)])
@pytest.mark.parametrize('nproc', [1, 2])
def test_windows_and_masks(source, scenes, tmp_path, options, nproc):
    counts = convert_isaid(source, tmp_path / 'out', nproc=nproc, **options)
    files = expected(scenes, *options.values())
    assert_same(contents(tmp_path / 'out'), files)
    assert counts == {split: sum(name.startswith(f'img_dir/{split}') for name in files)
                      for split in SIZES}


def test_unpacked(source, scenes, tmp_path):
    import zipfile
    for path in source.rglob('*.zip'):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(path.parent)
        path.unlink()
    convert_isaid(source, tmp_path / 'out', **SMALL)
    assert_same(contents(tmp_path / 'out'), expected(scenes, *SMALL.values()))


def test_grey_images_and_those_with_alpha_become_rgb(source, scenes, tmp_path):
    """DOTA has some of each."""
    grey, alpha = scenes['train', 'P0000'][0][..., 0], scenes['train', 'P0011'][0]
    rgba = np.concatenate([alpha, np.full((*alpha.shape[:2], 1), 255, np.uint8)], axis=2)
    for number, (name, image) in enumerate((('P0000', grey), ('P0011', rgba)), 1):
        (source / f'train/images/part{number}.zip').write_bytes(
            zipped({f'images/{name}.png': encoded(image)}))
    scenes['train', 'P0000'] = np.repeat(grey[..., None], 3, 2), scenes['train', 'P0000'][1]
    convert_isaid(source, tmp_path / 'out', **SMALL)
    assert_same(contents(tmp_path / 'out'), expected(scenes, *SMALL.values()))


def test_the_data_set_reads_them(source, scenes, tmp_path):
    convert_isaid(source, tmp_path / 'out', **SMALL)
    dataset = iSAIDDataset(pipeline=[], img_dir='img_dir/train', ann_dir='ann_dir/train',
                           data_root=str(tmp_path / 'out'))
    files = expected(scenes, *SMALL.values())
    assert len(dataset) == sum(name.startswith('img_dir/train') for name in files)
    for index, info in enumerate(dataset.img_infos):
        np.testing.assert_array_equal(
            dataset.get_gt_seg_map(index), files[f'ann_dir/train/{info["ann"]["seg_map"]}'])


def test_without_images_to_test(source, tmp_path):
    for path in (source / 'test/images').iterdir():
        path.unlink()
    assert set(convert_isaid(source, tmp_path / 'out', **SMALL)) == {'train', 'val'}


def change_masks(source, scenes, colour):
    colours = scenes['train', 'P0000'][1].copy()
    colours[10:13, :30] = colour
    write_masks(source, 'train', {
        f'images/P0000{SUFFIX}.png': encoded(colours),
        f'images/P0011{SUFFIX}.png': encoded(scenes['train', 'P0011'][1])})
    return colours


@pytest.mark.parametrize('nproc', [1, 2])
def test_a_colour_that_no_class_has(source, scenes, tmp_path, nproc):
    change_masks(source, scenes, (0, 64, 63))
    with pytest.raises(DataError, match=(
            r'train/Semantic_masks/images\.zip: images/P0000_instance_color_RGB\.png: 1\.43% of '
            r'the pixels have colours \(RGB\) of no class: \(0, 64, 63\) 1\.43%\. .*--unknown')):
        convert_isaid(source, tmp_path / 'out', nproc=nproc, **SMALL)
    assert not (tmp_path / 'out').exists()


def test_strange_colours_ignored(source, scenes, tmp_path, caplog):
    colours = change_masks(source, scenes, (0, 64, 63))
    with caplog.at_level('WARNING'):
        convert_isaid(source, tmp_path / 'out', unknown='ignore', **SMALL)
    assert '(0, 64, 63) 1.43%, and are ignored' in caplog.text
    labels = plain_labels(colours, LABELS | {(0, 64, 63): 255})
    np.testing.assert_array_equal(
        contents(tmp_path / 'out')[f'ann_dir/train/P0000_0_40_0_48{SUFFIX}.png'], labels[:40, :48])


def test_missing_masks(source, scenes, tmp_path):
    write_masks(source, 'train', {f'images/P0000{SUFFIX}.png': encoded(
        scenes['train', 'P0000'][1])})
    with pytest.raises(DataError, match='lacks the labels of 1 images for train: P0011\nexpected'):
        convert_isaid(source, tmp_path / 'out', **SMALL)
    assert not (tmp_path / 'out').exists()


def test_no_images(tmp_path):
    with pytest.raises(DataError, match='has no images for train\nexpected, packed or unpacked'):
        convert_isaid(tmp_path, tmp_path / 'out')


@pytest.mark.parametrize(('overlap', 'message'), [
    (-1, '--overlap_area -1: windows overlap by 0 pixels or more'),
    (40, '--patch_width, --patch_height, --overlap_area: windows of 48 x 40 '
         'pixels, 8 and 0 apart')])
def test_overlaps_that_make_no_sense(source, tmp_path, overlap, message):
    with pytest.raises(ConfigError, match=message):
        convert_isaid(source, tmp_path / 'out', **SMALL | dict(overlap_area=overlap))


@pytest.mark.parametrize(('options', 'told'), [({}, True), (SMALL, False)])
def test_the_numbers_of_the_complete_archives(source, tmp_path, caplog, options, told):
    with caplog.at_level('WARNING'):
        convert_isaid(source, tmp_path / 'out', **options)
    assert ('train 2, val 1 windows; the complete archives give train 33,978, val 11,644. Published'
            in caplog.text) == told
