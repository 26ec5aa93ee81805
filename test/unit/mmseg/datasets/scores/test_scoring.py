from collections.abc import Generator

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.datasets import ConcatDataset, CustomDataset, build_dataset


@pytest.fixture
def dataset(dataset_cfg):
    return build_dataset(dataset_cfg, dict(test_mode=True))


@pytest.fixture
def results(dataset):
    """Predictions that are right for about half of the pixels."""
    random = np.random.RandomState(0)
    predictions = []
    for label in dataset.get_gt_seg_maps():
        guess = random.randint(0, 4, label.shape)
        predictions.append(np.where((random.rand(*label.shape) < 0.4) & (label < 4), label, guess))
    return predictions


def slow_iou(dataset, results, index):
    both = either = 0
    for result, label in zip(results, dataset.get_gt_seg_maps(), strict=True):
        valid = label != 255
        both += ((result == index) & (label == index) & valid).sum()
        either += (((result == index) | (label == index)) & valid).sum()
    return both / either


def test_scores_are_fractions_by_class_and_in_the_mean(dataset, results):
    scores = dataset.evaluate(results, logger='silent')

    expected = [slow_iou(dataset, results, index) for index in range(4)]
    assert [scores[f'IoU.{name}'] for name in 'abcd'] == pytest.approx(expected)
    assert scores['mIoU'] == pytest.approx(np.mean(expected))
    assert list(scores)[:3] == ['aAcc', 'mIoU', 'mAcc']
    assert {'Acc.a', 'Acc.d'} <= set(scores)
    assert all(type(value) is float for value in scores.values())


@pytest.mark.parametrize(('metric', 'names'), [
    ('mDice', {'mDice', 'Dice.a'}),
    (['mIoU', 'mFscore'], {'mIoU', 'IoU.b', 'mFscore', 'Fscore.c', 'mPrecision', 'Recall.d'}),
])
def test_the_metric_is_a_name_or_a_list_of_names(dataset, results, metric, names):
    scores = dataset.evaluate(results, metric=metric, logger='silent')

    assert names <= set(scores)
    assert ('mIoU' in scores) == ('mIoU' in metric)


def test_groups_of_classes(dataset, results, caplog):
    groups = {'some': ['a', 'c'], '车 辆': ['d']}
    with caplog.at_level('INFO'):
        scores = dataset.evaluate(results, groups=groups, logger='mmseg')
    assert scores['mIoU.some'] == pytest.approx((scores['IoU.a'] + scores['IoU.c']) / 2)
    assert scores['IoU.车 辆'] == scores['mIoU.车 辆'] == scores['IoU.d']
    both, either, right, all_pixels = 0, 0, 0, 0
    for result, label in zip(results, dataset.get_gt_seg_maps(), strict=True):
        found, true = (np.isin(each, (0, 2)) & (label != 255) for each in (result, label))
        both, either = both + (found & true).sum(), either + (found | true).sum()
        right, all_pixels = right + (result == label)[true].sum(), all_pixels + true.sum()
    assert scores['IoU.some'] == pytest.approx(both / either)
    assert scores['aAcc.some'] == pytest.approx(right / all_pixels)
    table = caplog.text.partition('groups of classes:')[2]
    assert [word in table for word in ('Group', 'aAcc', 'mIoU', 'some', '车 辆')] == [True] * 5
    assert f'{100 * scores["IoU.some"]:.2f}' in table


def test_groups_of_another_metric(dataset, results):
    scores = dataset.evaluate(results, 'mDice', groups=dict(some=['a', 'b']), logger='silent')
    assert {'Dice.some', 'mDice.some', 'aAcc.some'} <= scores.keys()
    assert 'IoU.some' not in scores


def test_groups_need_label_maps_and_classes(dataset, results):
    areas = dataset.pre_eval(results, range(6))
    with pytest.raises(ArgumentError, match='groups of classes are scored from label maps'):
        dataset.evaluate(areas, groups=dict(some=['a']), logger='silent')
    with pytest.raises(ConfigError, match=r"groups\.some: 'e' is no class"):
        dataset.evaluate(results, groups=dict(some=['e']), logger='silent')


def test_a_confusion_matrix_and_files_are_scored_alike(dataset, results, tmp_path):
    confusion = ConfusionMatrix(4)
    files = []
    for index, result in enumerate(results):
        confusion.update(result, dataset.get_gt_seg_map(index))
        files.append(str(tmp_path / f'{index}.npy'))
        np.save(files[-1], result)

    expected = dataset.evaluate(results, logger='silent')

    assert dataset.evaluate(confusion, logger='silent') == expected
    assert dataset.evaluate(files, logger='silent') == expected


def test_the_switch_of_older_configs_is_accepted(dataset, results):
    expected = dataset.evaluate(results, logger='silent')

    assert dataset.evaluate(results, logger='silent', efficient_test=True) == expected


def test_the_table_and_the_summary_are_logged(dataset, results, capsys):
    scores = dataset.evaluate(results)

    output = capsys.readouterr().out
    rows = [line.split('|')[1].strip() for line in output.splitlines() if line.startswith('|')]
    assert rows == ['Class', 'a', 'b', 'c', 'd']
    assert f'{100 * scores["IoU.c"]:.2f}' in output
    assert f'mIoU: {100 * scores["mIoU"]:.2f}' in output.splitlines()[-1]


def test_an_absent_class_is_nan_and_left_out_of_the_mean(dataset_cfg):
    dataset = build_dataset(dict(dataset_cfg, classes=[*'abcd', 'never']))
    results = list(dataset.get_gt_seg_maps())
    results = [np.where(result == 255, 0, result) for result in results]

    scores = dataset.evaluate(results, logger='silent')

    assert np.isnan(scores['IoU.never'])
    assert scores['mIoU'] == 1


def test_wrong_calls_are_explained(dataset, results, data_root):
    with pytest.raises(ConfigError, match='mIuO'):
        dataset.evaluate(results, metric='mIuO', logger='silent')
    with pytest.raises(ArgumentError, match='evaluate does not take metrics; it takes metric, '
                                             'groups and logger'):
        dataset.evaluate(results, metrics='mIoU')
    with pytest.raises(DataError, match='5 predictions for the 6 images of CustomDataset'):
        dataset.evaluate(results[:5])
    with pytest.raises(DataError, match=r'2\.jpg'):
        dataset.evaluate([*results[:2], results[2][1:], *results[3:]])


@pytest.mark.parametrize('metric', ['mIoU', ['mDice', 'mIoU'], 'mFscore'])
def test_without_classes_numbers_stand_for_the_names(dataset, results, data_root, metric):
    nameless = CustomDataset([], 'img', ann_dir='ann', data_root=str(data_root))
    scores = nameless.evaluate(results, metric, logger='silent')
    expected = dataset.evaluate(results, metric, logger='silent')

    numbers = {letter: str(number) for number, letter in enumerate('abcd')}
    assert scores == {
        '.'.join(numbers.get(part, part) for part in name.split('.')): value
        for name, value in expected.items()}
    areas = [dataset.pre_eval(result, index)[0] for index, result in enumerate(results)]
    assert nameless.evaluate(areas, metric, logger='silent') == scores


def test_annotations_are_a_list_or_come_one_by_one(dataset):
    maps, stream = dataset.get_gt_seg_maps(), dataset.get_gt_seg_maps(efficient_test=True)

    assert isinstance(maps, list)
    assert isinstance(stream, Generator)
    for index, (label, same) in enumerate(zip(maps, stream, strict=True)):
        np.testing.assert_array_equal(label, dataset.get_gt_seg_map(index))
        np.testing.assert_array_equal(label, same)


def test_an_unknown_metric_is_an_unknown_key(dataset, results):
    with pytest.raises(KeyError, match='mIuO'):
        dataset.evaluate(results, metric='mIuO', logger='silent')


def test_predictions_are_written_as_palette_pictures(dataset, results, tmp_path):
    files = dataset.format_results(results, str(tmp_path / 'out'))

    assert files == [str(tmp_path / 'out' / f'{number}.png') for number in range(6)]
    for file, result in zip(files, results, strict=True):
        with Image.open(file) as image:
            assert image.mode == 'P'
            np.testing.assert_array_equal(np.array(image), result)
            assert image.getpalette()[:12] == sum(dataset.PALETTE, [])


def test_some_predictions_are_written_by_index_and_from_files(dataset, results, tmp_path):
    np.save(tmp_path / 'p.npy', results[4])

    files = dataset.format_results(
        iter([results[3], str(tmp_path / 'p.npy')]), str(tmp_path), indices=[3, 4])

    assert files == [str(tmp_path / '3.png'), str(tmp_path / '4.png')]
    with Image.open(files[1]) as image:
        np.testing.assert_array_equal(np.array(image), results[4])
    with pytest.raises(ValueError, match='shorter|longer'):
        dataset.format_results(results[:2], str(tmp_path))


def test_nothing_to_write_needs_no_folder(dataset, results):
    for each in (dataset, ConcatDataset([dataset])):
        assert each.format_results([]) == each.format_results([], '') == []
        with pytest.raises(ArgumentError, match='out_dir is missing'):
            each.format_results(results)


def test_pictures_keep_the_folder_of_their_image(data_root, tmp_path):
    (data_root / 'img' / 'city').mkdir()
    (data_root / 'img' / '0.jpg').rename(data_root / 'img' / 'city' / '0.1.jpg')
    dataset = CustomDataset([], 'img', data_root=str(data_root))
    index = [info['filename'] for info in dataset.img_infos].index('city/0.1.jpg')

    files = dataset.format_results([np.zeros((3, 4), np.uint8)], str(tmp_path / 'out'), [index])

    assert files == [str(tmp_path / 'out' / 'city' / '0.1.png')]
