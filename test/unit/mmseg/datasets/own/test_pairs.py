"""Which mask belongs to which image, and what is refused."""
import random
import re
import shutil
from dataclasses import replace

import pytest

from mmcv_replace.utils.errors import ConfigError, DataError, EmptyDatasetError
from mmseg.datasets.own import OwnDataSettings
from mmseg.datasets.own.names import common_affix, match
from mmseg.datasets.own.pairs import find_pairs


@pytest.fixture
def make(tmp_path):
    """Empty files; only their names count. Returns the settings for the two folders."""
    def touch(images, masks, folders=('images', 'masks'), **settings):
        for folder, files in zip(folders, (images, masks), strict=True):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            for file in files.split():
                (tmp_path / folder / file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / folder / file).touch()
        return OwnDataSettings(**{key: str(tmp_path / folder) for key, folder in zip(
            ('images', 'masks'), folders, strict=True)} | settings).located()
    return touch


def found(settings):
    return {pair.image: pair.mask for pair in find_pairs(settings).pairs}


@pytest.mark.parametrize(('images', 'masks'), [
    ('a.jpg b.jpg', 'a.png b.png'),
    ('a.JPG b.jpeg x/c.PNG', 'a.png b.TIF x/c.bmp'),
    ('img_1.jpg img_10.jpg', 'img_1.png img_10.png'),
    ('a.jpg a_b.jpg', 'a_mask.png a_b_mask.png'),
    ('a.jpg b.jpg', 'mask_a.png mask_b.png'),
    ('a.jpg b.jpg', 'SegmentationClass/a_gt.png SegmentationClass/b_gt.png'),
    ('1_sat.jpg 2_sat.jpg', '1_mask.png 2_mask.png'),
    ('bonn/b_0_leftImg8bit.png ulm/u_1_leftImg8bit.png',
     'bonn/b_0_gtFine_labelIds.png ulm/u_1_gtFine_labelIds.png'),
    ('train/a.jpg val/b.jpg', 'a.png b.png'),
    ('a.b.jpg a.c.jpg', 'a.b.png a.c.png'),
    ('Straße-ä.jpg', 'Straße-ä.png'),
])
def test_pairs_by_name(make, images, masks):
    assert found(make(images, masks)) == dict(zip(images.split(), masks.split(), strict=True))


@pytest.mark.parametrize(('masks', 'places'), [
    ('a_road.png a_car.png b_car.png', ['a_{class}.png', 'b_{class}.png']),
    ('road/a.png car/a.png car/b.png', ['{class}/a.png', '{class}/b.png']),
    ('a/road.png a/car.png b/road.png', ['a/{class}.png', 'b/{class}.png'])])
def test_one_file_a_class(make, masks, places):
    pairs = find_pairs(make('a.jpg b.jpg', masks))
    assert pairs.class_names == ('car', 'road')
    assert [pair.mask for pair in pairs.pairs] == places


def test_other_files_of_the_same_images_are_told(make):
    pairs = find_pairs(make('a.jpg b.jpg', 'a.png b.png a_color.png'))
    assert [pair.mask for pair in pairs.pairs] == ['a.png', 'b.png']
    assert any('not used: 1 file of the same images: a_color.png' in note for note in pairs.notes)


def test_a_suffix_decides(make):
    settings = make('a.jpg b.jpg', 'a_ids.png b_ids.png a_color.png b_color.png')
    assert find_pairs(settings).class_names == ('color', 'ids')
    assert found(replace(settings, mask_suffix='_IDS.png')) == {
        'a.jpg': 'a_ids.png', 'b.jpg': 'b_ids.png'}
    settings = make('c_rgb.png c_depth.png', 'c.png', folders=('i', 'm'))
    with pytest.raises(DataError, match=r'no mask of .* has the name .*c_depth\.png, c_rgb\.png'):
        find_pairs(settings)
    assert found(replace(settings, image_suffix='_rgb.png')) == {'c_rgb.png': 'c.png'}


@pytest.mark.parametrize(('files', 'settings', 'pairs'), [
    ('a.jpg a.png b.jpg b.png', {}, {'a.jpg': 'a.png', 'b.jpg': 'b.png'}),
    ('a.png a_mask.png b.png b_mask.png', {}, {'a.png': 'a_mask.png', 'b.png': 'b_mask.png'}),
    ('a.bmp a.png', dict(image_suffix='.bmp'), {'a.bmp': 'a.png'}),
    ('a.bmp a.png', dict(mask_suffix='.png'), {'a.bmp': 'a.png'})])
def test_both_in_one_folder(make, files, settings, pairs):
    assert found(make(files, '', folders=('all', 'all'), **settings)) == pairs


def test_one_folder_that_does_not_tell(make):
    with pytest.raises(DataError, match='holds both images and masks, .*own_data.mask_suffix'):
        find_pairs(make('a.png b.png c.png', '', folders=('all', 'all')))


def test_a_folder_inside_the_other(make):
    assert found(make('a.jpg', 'a.png', folders=('all', 'all/masks'))) == {'a.jpg': 'a.png'}
    assert found(make('b.jpg', 'b.png', folders=('top/images', 'top'))) == {'b.jpg': 'b.png'}


@pytest.mark.parametrize(('images', 'masks', 'told'), [
    ('a.jpg b.jpg c.jpg', 'a.png', r'2 images without a mask: b\.jpg, c\.jpg .*images\)\. .*skip'),
    ('a.jpg', 'a.png d.png', r'1 mask without an image: d\.png .*unpaired'),
    ('a.jpg a.png', 'a.png', r'a\.jpg and a\.png have the same name .*image_suffix'),
    ('a.jpg', 'a.png a.bmp', r'have the same name .*mask_suffix'),
    ('a.jpg', 'b.png', 'no mask of .* has the name of an image'),
    ('a.jpg b.jpg', 'a_x.png b.png', 'several forms, NAME_x, NAME|NAME, NAME_x')])
def test_what_does_not_fit_is_refused(make, images, masks, told):
    with pytest.raises(DataError, match=f'(?s){told}'):
        find_pairs(make(images, masks))


def test_what_stands_alone_can_be_left_out(make):
    pairs = find_pairs(make('a.jpg b.jpg', 'a.png c.png', unpaired='skip'))
    assert [pair.image for pair in pairs.pairs] == ['a.jpg']
    assert [note for note in pairs.notes if note.startswith('left out')] == [
        f'left out: 1 image without a mask: b.jpg ({pairs.images})',
        f'left out: 1 mask without an image: c.png ({pairs.masks})']


@pytest.mark.parametrize(('files', 'told'), [
    ('', 'holds no image: the folder is empty'),
    ('a.txt b.txt c.xml', r'but files: 2 of \.txt, 1 of \.xml; .*\.jpg')])
def test_a_folder_without_images(make, files, told):
    with pytest.raises(EmptyDatasetError, match=rf'own_data\.images=.*{told}'):
        find_pairs(make(files, 'a.png'))


def test_files_of_the_system_do_not_count(make, tmp_path):
    settings = make('a.jpg .hidden.jpg', 'a.png')
    (tmp_path / 'images/__MACOSX').mkdir()
    shutil.copy(tmp_path / 'images/a.jpg', tmp_path / 'images/__MACOSX/b.jpg')
    assert found(settings) == {'a.jpg': 'a.png'}


@pytest.mark.parametrize(('settings', 'told'), [
    (dict(images='nowhere'), r'own_data\.images: nowhere is not a folder; .*--images'),
    (dict(val_images='images'), 'val_images needs the other'),
    (dict(val_masks='masks'), 'val_masks needs the other')])
def test_folders_that_are_not_there(make, settings, told):
    with pytest.raises(ConfigError, match=told):
        replace(make('a.jpg', 'a.png'), **settings).located()


def brute_force(images, masks):
    """A mask belongs to the longest image name that stands in it between separators."""
    pairs = {}
    for mask in masks:
        inside = [name for name in images
                  if re.search(rf'(^|[_\-. /]){re.escape(name)}($|[_\-. /])', mask)]
        if inside:
            pairs.setdefault(max(inside, key=len), set()).add(mask)
    return pairs


@pytest.mark.parametrize('seed', range(20))
def test_matching_is_that_of_a_search_in_all_names(seed):
    chance = random.Random(seed)
    words = ['a', 'b', 'aa', 'a_b', 'x1']
    images = sorted({'_'.join(chance.choices(words, k=2)) for _ in range(6)})
    masks = sorted({chance.choice(['', 'm_', 'm/']) + name + chance.choice(['', '_gt', '-z'])
                    for name in chance.choices(images, k=6)})
    pairs, end = match(images, masks)
    if not end:
        assert {name: set(parts.values()) for name, parts in pairs.items()} == brute_force(
            images, masks)


def test_the_affix_of_half_of_the_names():
    assert common_affix(['a', 'b', 'a_mask', 'b_mask']) == '_mask'
    assert common_affix(['a', 'b', 'a_mask', 'b_gt']) == ''
    assert common_affix(['a', 'b']) == ''
