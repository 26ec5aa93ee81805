"""Values in the masks: colours, numbers that are no class, binary masks, the balance of classes."""
import ast
import re

import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import CustomDataset, build_dataset
from mmseg.datasets.doctor import examine_some, open_report
from mmseg.datasets.doctor.colours import describe_colours, find_colours


def test_colour_masks_are_compared_with_the_palette(devkit, found, report_on):
    palette = np.array([[128, 64, 128], [0, 0, 142], [70, 130, 180]], np.uint8)
    label = np.arange(24 * 32).reshape(24, 32) % 3
    devkit.mask('a', palette[label])
    strange = palette[label]
    strange[0, 0] = 1, 2, 3
    devkit.mask('b', strange)
    devkit.mask('c', np.repeat(label[..., None], 3, axis=-1))

    items = found(palette=palette.tolist())
    assert [item[:3] for item in items] == [
        ('colour-mask', 'train', 'a.png'), ('colour-mask', 'train', 'b.png'),
        ('colour-mask', 'train', 'c.png')]
    assert items[0][3].endswith(
        '. It holds 3 colours (RGB), all of them of the palette: (0, 0, 142) car, '
        '(70, 130, 180) sky, (128, 64, 128) road')
    assert items[1][3].endswith(
        '. It holds 4 colours (RGB). Of the palette are (0, 0, 142) car, (70, 130, 180) sky, '
        '(128, 64, 128) road. Not of the palette is (1, 2, 3)')
    assert 'Its channels are equal: keep one of them' in items[2][3]


def test_the_recipe_for_colour_masks_works(devkit, report_on):
    palette = [[128, 64, 128], [70, 70, 70], [70, 130, 180]]
    label = devkit.labels('a') % 2
    colours = np.array(palette, np.uint8)[label]
    colours[:3] = 255
    devkit.mask('a', colours)
    recipe = report_on(palette=palette).remedy('colour-mask')
    colour_map = ast.literal_eval(re.search(r'colour_map=(\{.*?\})', recipe)[1])
    assert 'colour_map=PALETTE' in recipe

    data = build_dataset(devkit.cfg('train', palette=palette, colour_map=colour_map))
    place = [info['filename'] for info in data.img_infos].index('a.jpg')
    label[:3] = 255
    np.testing.assert_array_equal(data.get_gt_seg_map(place), label)


def test_palette_pngs_are_right(devkit, found):
    assert Image.open(devkit.mask_file('a')).mode == 'P'
    assert found() == []


def test_values_that_are_no_class(devkit, report_on):
    for name, value, pixels in (('a', 3, 5), ('b', 3, 2), ('e', 77, 1)):
        label = devkit.labels(name)
        label[5, :pixels] = value
        devkit.mask(name, label)

    report = report_on()

    assert [(item.kind, item.split, item.file[-5:], item.detail) for item in report.findings] == [
        ('label-range', 'train', 'a.png', 'holds 3 (5 pixels)'),
        ('label-range', 'train', 'b.png', 'holds 3 (2 pixels)'),
        ('label-range', 'val', 'e.png', 'holds 77 (1 pixels)')]
    splits = report.to_json()['splits']
    assert splits['train']['wrong_values'] == [dict(value=3, pixels=7, masks=2)]
    assert splits['val']['wrong_values'] == [dict(value=77, pixels=1, masks=1)]
    assert 'set reduce_zero_label=True' in report.remedy('label-range')


def test_many_wrong_values_are_cut_short(devkit, found):
    devkit.mask('a', np.arange(24 * 32).reshape(24, 32) % 256)

    [item] = found()
    assert item[3].count('pixels') == 8
    assert item[3].endswith(', ...')


def test_reduce_zero_label_and_ignore_index_are_heeded(devkit, found):
    load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', reduce_zero_label=True)]
    assert {item[0] for item in found(pipeline=load, reduce_zero_label=True)} == {'absent-class'}
    for name in 'abcdef':
        label = devkit.labels(name)
        label[label == 255] = 9
        devkit.mask(name, np.where(label == 9, 9, label + 1))
    assert found(ignore_index=9, pipeline=load, reduce_zero_label=True) == []
    # LoadAnnotations follows the dataset, and a dataset its LoadAnnotations.
    assert found(ignore_index=9, reduce_zero_label=True) == []
    assert {item[1] for item in found(ignore_index=9, pipeline=load, val=dict(pipeline=[]))
            if item[0] == 'label-range'} == {'val'}


def test_label_map_is_heeded(devkit, found, monkeypatch):
    for name in 'abcdef':
        label = devkit.labels(name)
        devkit.mask(name, np.where(label == 255, 255, 10 * label))

    assert {item[0] for item in found()} == {'label-range', 'absent-class'}
    assert found(label_map={'0': 0, '10': 1, 20: 2}) == []
    monkeypatch.setattr(CustomDataset, 'label_map', {0: 0, 10: 1, 20: 2})
    assert found() == []


def test_without_classes_there_is_no_range(devkit, found):
    devkit.mask('a', np.full((24, 32), 200))

    assert found(classes=None) == []


@pytest.mark.parametrize(('value', 'lost'), [(255, 'means ignored'), (200, 'is no class')])
def test_binary_masks(devkit, report_on, value, lost):
    for name in 'abcdef':
        devkit.mask(name, np.where(devkit.labels(name) == 1, value, 0))

    report = report_on()

    [train, val] = report.of_kind('binary-mask')
    assert (train.split, val.split, train.sample) == ('train', 'val', None)
    assert train.detail == (
        f'the masks hold only 0 and {value}, which {lost}; a mask of two values: give the dataset '
        f'label_map={{0: 0, {value}: 1}}, or write masks with 0 and 1')


def test_the_label_map_that_is_suggested_mends_binary_masks(devkit, found):
    for name in 'abcdef':
        devkit.mask(name, np.where(devkit.labels(name) == 1, 255, 0))

    assert found(classes=['no', 'yes'], label_map={0: 0, 255: 1}) == []


def test_one_mask_of_0_and_255_among_others_is_no_error(devkit, found):
    devkit.mask('a', np.where(devkit.labels('a') == 1, 255, 0))

    assert found() == [('two-values', 'train', 'a.png', 'holds 0 and 255')]


def test_masks_without_labels_and_classes_without_pixels(devkit, found):
    devkit.mask('a', np.full((24, 32), 255))
    for name in 'ef':
        devkit.mask(name, np.where(devkit.labels(name) == 1, 2, devkit.labels(name)))

    assert found() == [('empty-mask', 'train', 'a.png', 'holds only 255'),
                       ('absent-class', 'val', 'car', '')]


def test_pixels_images_and_weights_are_those_of_a_slow_count(devkit, report_on):
    for name, value in zip('abcd', (0, 1, 2, 1), strict=True):
        label = devkit.labels(name)
        label[3:9 + 3 * value] = value
        label[label == (value + 1) % 3] = value
        devkit.mask(name, label)
    labels = [devkit.labels(name) for name in 'abcd']
    pixels = [sum(int((label == index).sum()) for label in labels) for index in range(3)]
    images = [sum(bool((label == index).any()) for label in labels) for index in range(3)]
    seen = [sum(int((label < 255).sum()) for label in labels if (label == index).any())
            for index in range(3)]
    frequency = [p / s for p, s in zip(pixels, seen, strict=True)]

    result = report_on().to_json()

    assert result['splits']['train']['classes'] == [
        dict(name=name, pixels=p, images=i)
        for name, p, i in zip(['road', 'car', 'sky'], pixels, images, strict=True)]
    assert result['class_weight']['values'] == pytest.approx(
        [sorted(frequency)[1] / f for f in frequency], rel=1e-3)


def test_a_class_that_never_occurs_has_the_weight_one(devkit, report_on):
    for name in 'abcd':
        devkit.mask(name, np.where(devkit.labels(name) == 1, 2, devkit.labels(name)))

    assert report_on().classes['train'].weights()[1] == 1


def test_without_a_label_there_are_no_weights(devkit, report_on):
    for name in 'abcd':
        devkit.mask(name, np.full((24, 32), 255))

    assert report_on().to_json()['class_weight'] is None


def test_a_dataset_without_masks(found, report_on):
    assert found(val=dict(ann_dir=None)) == []
    assert report_on(val=dict(ann_dir=None)).to_json()['splits']['val']['classes'] == []


def test_some_samples_are_spread_evenly(devkit):
    devkit.list('train', 'abcd' * 25)
    report = open_report({'train': build_dataset(devkit.cfg('train')),
                          'val': build_dataset(devkit.cfg('val'), dict(test_mode=True))})
    seen = []
    devkit.image_file('a').unlink()  # every fourth, from the first on

    examine_some(report, {'train': 34, 'val': 16})

    seen = [item.sample[1] for item in report.findings]
    assert dict(report.samples) == {'train': 34, 'val': 2}
    assert seen[0] == 0
    assert all(index % 4 == 0 for index in seen)
    assert max(seen) > 80


def test_colours_of_no_class_and_without_a_palette():
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[0, 0] = 192, 224, 224  # blue, green, red
    colours[1] = 255
    assert describe_colours(colours, [[9, 9, 9]], ['x']) == (
        'It holds 3 colours (RGB), none of them of the palette: (0, 0, 0), (224, 224, 192) (the '
        'border that VOC does not label), (255, 255, 255) (white)')
    assert describe_colours(colours[2:], None, None) == 'It holds 1 colour (RGB): (0, 0, 0)'
    assert 'are no RGB colours' in describe_colours(colours[..., :2], None, None)


def test_colours_are_those_of_a_slow_search():
    rng = np.random.default_rng(0)
    for low in (200, 0):
        label = rng.integers(low, 256, (37, 23, 4), np.uint8).repeat(3, axis=1)
        slow = {(int(r), int(g), int(b)) for b, g, r, _ in label.reshape(-1, 4)}
        assert find_colours(label) == sorted(slow)


def test_masks_in_a_lossy_format(devkit, report_on):
    label = np.zeros((24, 32), np.uint8)
    for name in 'abcdef':
        label[:, 4:15] = 200 if name == 'a' else 2
        Image.fromarray(label).save(devkit.root / f'ann/{name}.jpeg', quality=60)
    report = report_on(seg_map_suffix='.jpeg')
    assert len(report.of_kind('lossy-mask')) == 6
    assert report.of_kind('lossy-mask')[0].detail == 'JPEG'
    assert 'again as PNG' in report.remedy('lossy-mask')
    assert report.remedy('label-range').startswith('the file is a JPEG, which is lossy: ')
