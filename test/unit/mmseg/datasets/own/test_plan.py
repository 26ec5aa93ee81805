"""Whole plans: lists, settings, the text, and their way to a work directory and back."""
import json

import numpy as np
import pytest

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.listing.file_list import list_samples
from mmseg.datasets.own import FOLDER, find_plan, make_plan, read_plan, write_plan


@pytest.fixture
def twelve(folders, numbers):
    for place in range(12):
        folders.image(f's{place}.jpg')
        folders.mask(f's{place}.png', numbers(0, 1, 2) if place else numbers(0, 1))
    return folders


def test_lists_settings_and_text(twelve):
    plan = make_plan(twelve.settings(classes='sky,road,car', val_fraction=0.3))

    lines = [f's{place}.jpg\ts{place}.png' for place in range(12)]
    assert sorted(plan.lists['train'] + plan.lists['val']) == sorted(lines)
    assert plan.lists['val']
    for split, name in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        made = plan.datasets[split]
        assert (made['img_dir'], made['ann_dir'], made['split']) == (
            str(twelve.images), str(twelve.masks), name)
        assert made['classes'] == plan.classes == ['sky', 'road', 'car']
    assert '12 pairs: s0.png belongs to s0.jpg' in plan.text
    assert 'seed 0' in plan.text


def test_the_table_counts_every_pixel(twelve):
    plan = make_plan(twelve.settings())
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in plan.text.splitlines()
            if line.startswith('| ') and 'class' in line and 'pixels' not in line]
    counts = {row[0]: [int(row[place].replace(',', '')) for place in (2, 3, 4)] for row in rows}
    assert {key: count[0] for key, count in counts.items()} == {'0': 12, '1': 12, '2': 11}
    assert {key: count[1] + count[2] for key, count in counts.items()} == {
        '0': 48 + 11 * 32, '1': 48 + 11 * 32, '2': 11 * 32}


def test_absent_classes_are_told(folders, numbers):
    for split, values in (('train', (0, 1, 2)), ('val', (0, 1))):
        folders.image(f'{split}/a.jpg')
        folders.mask(f'{split}/a.png', numbers(*values))
    plan = make_plan(folders.settings(classes='a,b,c,d'))
    assert 'val has no pixel of c' in plan.text
    assert 'no pixel' in plan.text
    assert 'by the folders train, val and test' in plan.text


def test_folders_to_validate_on(twelve, numbers):
    twelve.image('v.jpg', folder='more')
    twelve.mask('v_gt.png', numbers(0, 1, 2), folder='more_masks')
    plan = make_plan(twelve.settings(val_images=str(twelve.root / 'more'),
                                     val_masks=str(twelve.root / 'more_masks')))
    assert len(plan.lists['train']) == 12
    assert plan.lists['val'] == ['v.jpg\tv_gt.png']
    assert plan.datasets['train']['img_dir'] == str(twelve.images)
    assert plan.datasets['test']['ann_dir'] == str(twelve.root / 'more_masks')
    twelve.mask('v_gt.png', numbers(0, 9), folder='more_masks')
    with pytest.raises(DataError, match='not the numbers 0, 1, 2'):
        make_plan(twelve.settings(val_images=str(twelve.root / 'more'),
                                  val_masks=str(twelve.root / 'more_masks')))


def test_frames_are_grouped_unless_that_is_off(folders, numbers):
    picture = np.random.default_rng(0).integers(0, 256, (8, 12, 3))
    for place in range(6):
        folders.image(f'f{place}.png', pixels=picture)
        folders.mask(f'f{place}.png', numbers(0, 1))
    with pytest.raises(DataError, match='look like one sequence'):
        make_plan(folders.settings())
    folders.image('other.png')
    folders.mask('other.png', numbers(0, 1))
    plan = make_plan(folders.settings(val_fraction=0.5))
    assert {len(plan.lists['train']), len(plan.lists['val'])} == {1, 6}
    assert '1 group of near-duplicates, 6 images' in plan.text
    assert 'near-duplicates' not in make_plan(folders.settings(group=False)).text


def test_processes_find_the_same(twelve, monkeypatch):
    monkeypatch.setattr('mmseg.datasets.own.survey.FEW', 1)
    assert make_plan(twelve.settings(), nproc=2) == make_plan(twelve.settings(), nproc=1)
    twelve.mask('s3.png', np.zeros((2, 2)))
    with pytest.raises(DataError, match=r's3\.png: the mask is 2 x 2'):
        make_plan(twelve.settings(), nproc=2)


@pytest.mark.parametrize(('name', 'told'), [
    ('a\tb', 'a tab or a line break in the name'), ('a\nb', 'a tab or a line break'),
    (' a', 'a blank at an end of the name'),
    (b'a\xff'.decode(errors='surrogateescape'), 'not UTF-8')])
def test_names_that_a_list_cannot_hold(twelve, numbers, name, told):
    twelve.image('a.jpg').rename(twelve.images / f'{name}.jpg')
    twelve.mask('a.png', numbers(0, 1, 2)).rename(twelve.masks / f'{name}.png')
    with pytest.raises(DataError, match=f'{told}.*, which a list of images cannot hold: rename'):
        make_plan(twelve.settings())


@pytest.mark.parametrize('name', ['two words', 'ünï日本', 'ideographic\u3000blank', 'next\x85line'])
def test_names_that_a_list_can_hold(twelve, numbers, name, tmp_path):
    twelve.image('a.jpg').rename(twelve.images / f'{name}.jpg')
    twelve.mask('a.png', numbers(0, 1, 2)).rename(twelve.masks / f'{name}.png')
    plan = make_plan(twelve.settings())
    write_plan(plan, tmp_path / 'run')
    lists = [list_samples('', '', '', '', str(tmp_path / 'run' / FOLDER / f'{side}.txt'))
             for side in ('train', 'val')]
    assert f'{name}.jpg' in [info['filename'] for infos in lists for info in infos]


def test_a_plan_returns_from_a_work_directory(twelve, tmp_path):
    plan = make_plan(twelve.settings(ignore=(2,), val_fraction=0.4))
    assert plan.datasets['val']['label_map'] == {0: 0, 1: 1, 2: -1}
    assert find_plan([None, tmp_path]) is None
    write_plan(plan, tmp_path / 'run')

    assert find_plan([None, tmp_path, tmp_path / 'run']) == tmp_path / 'run'
    again = read_plan(tmp_path / 'run')
    assert again.datasets == plan.datasets
    assert json.dumps(again.to_json()) == json.dumps(plan.to_json())
    folder = tmp_path / 'run' / FOLDER
    assert (folder / 'val.txt').read_text().splitlines() == plan.lists['val']
    assert (folder / 'decisions.txt').read_text() == f'{plan.text}\n'
    assert {file.name for file in folder.iterdir()} == {
        'train.txt', 'val.txt', 'plan.json', 'decisions.txt'}
    before = (folder / 'val.txt').stat().st_mtime_ns
    write_plan(plan, tmp_path / 'run')
    assert (folder / 'val.txt').stat().st_mtime_ns == before


def test_two_folders_of_masks_have_one_form(twelve, numbers):
    twelve.image('v.jpg', folder='more')
    for name in ('v_road', 'v_car'):
        twelve.mask(f'{name}.png', numbers(0, 255), folder='more_masks')
    with pytest.raises(DataError, match='has one mask an image, but the other .* one file a class'):
        make_plan(twelve.settings(val_images=str(twelve.root / 'more'),
                                  val_masks=str(twelve.root / 'more_masks')))


@pytest.mark.parametrize('content', ['{', '[]', '{"classes": []}'])
def test_a_damaged_plan(tmp_path, content):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / 'plan.json').write_text(content)
    with pytest.raises(DataError, match=r'plan\.json cannot be read: .*remove the folder'):
        read_plan(tmp_path)
