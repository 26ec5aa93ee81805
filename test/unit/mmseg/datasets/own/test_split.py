"""The split: stable, of the wanted share, and with near-duplicates on one side."""
import hashlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.own.near_duplicates import describe_groups, difference_hash, find_groups
from mmseg.datasets.own.pairs import Pair
from mmseg.datasets.own.split import split_by_folder, split_by_hash


def pairs_of(names):
    return [Pair(f'{name}.jpg', f'{name}.png') for name in names]


def names_of(pairs):
    return [pair.name for pair in pairs]


def split(names, fraction=0.1, seed=0, groups=None):
    return split_by_hash(pairs_of(names), groups or [[name] for name in names], fraction, seed)


NAMES = [f'city/street {number}' for number in range(2000)]


def test_the_share_is_that_of_a_hash_of_each_name():
    sides = split(NAMES, 0.2)
    chosen = {name for name in NAMES
              if int(hashlib.sha256(f'0/{name}'.encode()).hexdigest()[:16], 16) < 0.2 * 2**64}
    assert set(names_of(sides['val'])) == chosen
    assert 340 < len(chosen) < 460
    assert sorted(names_of(sides['train']) + names_of(sides['val'])) == sorted(NAMES)
    assert sides['test'] is sides['val']
    assert split(NAMES, 0.2, seed=1)['val'] != sides['val']


def test_images_that_are_added_move_none():
    before, after = split(NAMES[:500]), split(NAMES)
    for side in ('train', 'val'):
        assert {*names_of(before[side])} == {*names_of(after[side])} & {*NAMES[:500]}


@pytest.mark.parametrize('fraction', [1e-9, 0.9])
@pytest.mark.parametrize('number', [2, 3])
def test_few_images_are_on_both_sides(number, fraction):
    sides = split(NAMES[:number], fraction)
    assert sides['train']
    assert sides['val']


def test_groups_stay_together():
    groups = [NAMES[place:place + 7] for place in range(0, 1400, 7)]
    sides = split(NAMES[:1400], 0.3, groups=groups)
    val = {*names_of(sides['val'])}
    assert {len(val & {*group}) for group in groups} == {0, 7}


def test_one_image_or_one_sequence_is_refused():
    with pytest.raises(DataError, match='there is one image, of which no part .*--val-images'):
        split(['a'])
    with pytest.raises(DataError, match=r'all 2 images, a\.jpg to b\.jpg, look like one sequence, '
                       r'.*--val-images.*own_data\.group=False'):
        split(['a', 'b'], groups=[['a', 'b']])


@pytest.mark.parametrize(('names', 'sides'), [
    ('train/a train/b val/c', ('ab', 'c', 'c')), ('Train/a valid/b test/c', ('a', 'b', 'c')),
    ('training/x/a test/b', ('a', 'b', 'b')), ('train/a val/b other/c', None), ('a b', None),
    ('train/a train/b', None), ('train val', None)])
def test_folders_that_are_a_split(names, sides):
    found = split_by_folder(pairs_of(names.split()))
    assert (found and tuple(''.join(name[-1] for name in names_of(found[side]))
                            for side in ('train', 'val', 'test'))) == sides


@pytest.fixture
def pictures(tmp_path):
    """`pictures(names, scenes)`: files that show the scene of each number, with some noise."""
    def make(names, scenes):
        files = []
        for name, scene in zip(names, scenes, strict=True):
            random = np.random.default_rng(scene)
            small = random.integers(0, 256, (6, 6, 3)).astype(np.uint8)
            image = cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC)
            noise = np.random.default_rng(len(files)).integers(-4, 5, image.shape)
            file = tmp_path / f'{name}.jpg'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8)).save(file)
            files.append(str(file))
        return find_groups(names, files)
    return make


def several(groups):
    return [group for group in groups if len(group) > 1]


def test_frames_of_a_scene_are_a_group(pictures):
    names = [f'v/frame_{number:03d}_left' for number in range(7)]
    assert several(pictures(names, [1, 1, 1, 2, 2, 3, 4])) == [names[:3], names[3:5]]


def test_numbers_are_ordered_as_numbers(pictures):
    names = ['f1', 'f2', 'f10', 'f11']
    assert several(pictures(names, [5, 6, 6, 7])) == [['f10', 'f2']]


def test_pictures_with_other_names_are_not_compared(pictures):
    assert several(pictures(['a', 'b', 'x_1', 'y_2'], [1, 1, 1, 1])) == []


@pytest.mark.parametrize('copies', [
    ['a', 'a_flip', 'a-aug3', 'a (1)', 'a_rot90', 'a_HFLIP_bright2'],
    ['a_jpg.rf.0123456789abcdef', 'a_jpg.rf.fedcba9876543210']])
def test_augmented_copies_are_a_group_whatever_they_show(pictures, copies):
    groups = pictures([*copies, 'b', 'ab'], range(len(copies) + 2))
    assert several(groups) == [sorted(copies)]
    assert sorted(map(len, groups)) == [1, 1, len(copies)]


def test_words_inside_a_name_are_no_copies(pictures):
    assert several(pictures(['a_darkroom', 'a', 'flip', 'rot_a'], range(4))) == []


def test_the_hash_is_that_of_brighter_neighbours(tmp_path):
    image = np.zeros((64, 72), np.uint8)
    image[:, 32:40] = 200
    Image.fromarray(image).save(tmp_path / 'x.png')
    bits = difference_hash(str(tmp_path / 'x.png')).reshape(8, 8)
    assert bits.sum(0).tolist() == [0, 0, 0, 8, 0, 0, 0, 0]
    Image.fromarray(image * 0).save(tmp_path / 'black.png')
    (tmp_path / 'no.png').write_bytes(b'x')
    assert difference_hash(str(tmp_path / 'black.png')) is None
    assert difference_hash(str(tmp_path / 'no.png')) is None


def test_groups_in_words():
    assert describe_groups([['a'], ['b']]) == ''
    assert describe_groups([['a'], ['b', 'c', 'd']]) == (
        '1 group of near-duplicates, 3 images, which stay on one side: b to d (3)')
    many = [[f'{letter}1', f'{letter}2'] for letter in 'abcde']
    assert describe_groups(many).endswith('c1 to c2 (2) and 2 more')
