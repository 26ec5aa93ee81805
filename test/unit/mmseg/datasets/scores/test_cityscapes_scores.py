"""The metric 'cityscapes' against what cityscapesscripts computes of the same files.

What the package gave is a fixture. Where MMSEG_CITYSCAPES_PYTHON names the Python of an environment
with the package, it is asked again: 2.3.0 works with Pillow 12.3.0 and numpy 2.3.5 (Python 3.11);
beside numpy 2.4 its evaluation fails (test/reference/cityscapes_scores.py says how to install it).
"""
import importlib.util
import json
import logging
import os
import re
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ArgumentError, ConfigError, DataError
from mmseg.core.evaluation import ConfusionMatrix, Prediction, Score
from mmseg.datasets import CityscapesDataset, build_dataset

ROOT = Path(__file__).resolve().parents[5]
SCRIPT = ROOT / 'test/reference/cityscapes_scores.py'
GOLDEN = json.loads((ROOT / 'test/fixtures/cityscapes_scores.json').read_text())
PIXELS_ALONE = {key: value for key, value in GOLDEN.items() if 'Inst' not in key}
PYTHON = 'MMSEG_CITYSCAPES_PYTHON'
spec = importlib.util.spec_from_file_location('cityscapes_scores', SCRIPT)
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """The data set of the fixture, with masks of train ids as the converter makes them."""
    folder = tmp_path_factory.mktemp('cityscapes')
    made.write_pngs(folder)
    for name in made.NAMES:
        ids = cv2.imread(f'{folder}/gtFine/{name}_gtFine_labelIds.png', cv2.IMREAD_UNCHANGED)
        cv2.imwrite(f'{folder}/gtFine/{name}_gtFine_labelTrainIds.png', train_ids(ids))
        image = folder / f'leftImg8bit/{name}_leftImg8bit.png'
        image.parent.mkdir(parents=True, exist_ok=True)
        image.touch()
    return folder


def train_ids(ids):
    table = np.full(256, 255, np.uint8)
    table[made.LABEL_IDS] = np.arange(19)
    return table[ids]


@pytest.fixture
def make(root):
    def make(cls=CityscapesDataset, **options):
        return cls(**dict(pipeline=[], data_root=str(root), img_dir='leftImg8bit', ann_dir='gtFine',
                          test_mode=True) | options)
    return make


@pytest.fixture
def results(root):
    return [train_ids(cv2.imread(f'{root}/pred/{name}_pred.png', cv2.IMREAD_UNCHANGED))
            for name in made.NAMES]


def stream(dataset, results, metrics='cityscapes'):
    """The scores of predictions that come one by one, as in a test."""
    score = Score(dataset, metrics)
    for index, result in enumerate(results):
        score.add(Prediction(index, result, {}))
    return score.evaluate(metric=metrics, logger='silent')


def compare(scores, official):
    """Each number of the package is ours, but that there is none of 'void' and ignored labels."""
    expected = {}
    for key, value in official.items():
        if isinstance(value, dict):
            expected |= {f'{key}.{name}': each for name, each in value.items()
                         if f'{key}.{name}' in scores or each is not None}
        else:
            expected[key] = value
    assert {key: None if np.isnan(value) else value for key, value in scores.items()} == expected


def test_all_numbers_are_those_of_the_package(make, results):
    scores = make().evaluate(results, 'cityscapes', 'silent')

    compare(scores, GOLDEN)
    assert len(scores) == 4 + 2 * 19 + 2 * 7
    assert np.isnan(scores['classScores.train'])
    assert scores['classScores.bus'] == 0
    assert 0 < scores['classInstScores.rider'] != scores['categoryInstScores.human'] < 1
    assert all(type(value) is float for value in scores.values())


@pytest.mark.skipif(PYTHON not in os.environ, reason=f'set {PYTHON} to the Python of an '
                    f'environment that {SCRIPT.relative_to(ROOT)} describes')
def test_the_package_computes_them_still(tmp_path):
    done = subprocess.run([os.environ[PYTHON], str(SCRIPT), str(tmp_path)], capture_output=True,
                          text=True, check=True)

    assert json.loads(done.stdout) == GOLDEN


def test_a_stream_gives_the_same_scores(make, results):
    dataset = make()

    assert stream(dataset, results) == pytest.approx(
        dataset.evaluate(results, 'cityscapes', 'silent'), nan_ok=True)


def test_counts_of_several_processes_add_up(make, results):
    dataset = make()
    whole, *parts = [dataset.make_counts('cityscapes') for _ in range(3)]
    for index, result in enumerate(results):
        for counts in (whole, parts[index % 2]):
            counts.update(result, dataset.get_gt_seg_map(index), index=index)
    for total, more in zip(parts[0].arrays(), parts[1].arrays(), strict=True):
        total += more

    assert dataset.evaluate(parts[0], 'cityscapes', 'silent') == pytest.approx(
        dataset.evaluate(whole, 'cityscapes', 'silent'), nan_ok=True)


def test_it_stands_beside_other_metrics(make, results):
    dataset = make()
    scores = dataset.evaluate(results, ['mIoU', 'cityscapes'], 'silent')

    assert scores['mIoU'] == pytest.approx(scores['averageScoreClasses'])
    assert scores['IoU.car'] == scores['classScores.car']
    assert stream(dataset, results, ['cityscapes', 'mDice'])['mDice'] == dataset.evaluate(
        results, 'mDice', 'silent')['mDice']
    assert 'averageScoreClasses' not in dataset.evaluate(results, logger='silent')


def test_the_order_of_the_classes_changes_nothing(make, results):
    order = [*range(7, 19), *range(7)]
    dataset = make(classes=[CityscapesDataset.CLASSES[index] for index in order])
    moved = [np.argsort(order)[result % 19] for result in results]

    assert dataset.evaluate(moved, 'cityscapes', 'silent') == pytest.approx(
        make().evaluate(results, 'cityscapes', 'silent'), nan_ok=True)


def test_tables_show_classes_and_categories(make, results, capsys):
    scores = make().evaluate(results, 'cityscapes')

    lines = capsys.readouterr().out.splitlines()
    rows = {cells[1].strip(): [cell.strip() for cell in cells[2:4]]
            for cells in (line.split('|') for line in lines if line.startswith('|'))}
    assert rows['Class'] == rows['Category'] == ['IoU', 'iIoU']
    assert rows['train'] == ['-', '-']
    assert rows['flat'] == [f'{100 * scores["categoryScores.flat"]:.2f}', '-']
    assert rows['vehicle'][1] == f'{100 * scores["categoryInstScores.vehicle"]:.2f}'
    assert lines[-1].startswith('Summary: averageScoreClasses: ')


@pytest.mark.parametrize(('options', 'why'), [
    (dict(seg_map_suffix='_gtFine_labelTrainIds.png', ann_dir='elsewhere'),
     r'no \S*elsewhere/bonn/bonn_000000_000019_gtFine_instanceIds.png.*gtFine_trainvaltest.zip'),
    (dict(seg_map_suffix='.png', ann_dir='elsewhere'), 'the names of the masks do not tell'),
])
def test_without_instance_maps_iiou_is_left_out_and_said(make, root, results, caplog, monkeypatch,
                                                         options, why):
    monkeypatch.setattr(logging.getLogger('mmseg'), 'propagate', True)
    for name in made.NAMES:
        file = root / 'elsewhere' / f'{name}{options["seg_map_suffix"]}'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((root / f'gtFine/{name}_gtFine_labelTrainIds.png').read_bytes())
    with caplog.at_level('INFO', 'mmseg'):
        scores = make(**options).evaluate(results, 'cityscapes', 'silent')

    compare(scores, PIXELS_ALONE)
    assert re.search(f'iIoU is left out, since .*{why}', caplog.text)


def test_plain_counts_give_the_scores_without_instances(make, results):
    dataset, plain = make(), ConfusionMatrix(19)
    for index, result in enumerate(results):
        plain.update(result, dataset.get_gt_seg_map(index))

    compare(dataset.evaluate(plain, 'cityscapes', 'silent'), PIXELS_ALONE)


def test_predictions_of_ignored_pixels_may_be_anything(make, results):
    dataset = make()
    masked = [np.where(dataset.get_gt_seg_map(index) == 255, 255, result)
              for index, result in enumerate(results)]

    compare(dataset.evaluate(masked, 'cityscapes', 'silent'), GOLDEN)


def test_label_maps_are_written_where_the_prefix_says(make, root, results, tmp_path):
    dataset = make()
    scores = dataset.evaluate(results, 'cityscapes', 'silent', str(tmp_path))

    compare(scores, GOLDEN)
    for name in made.NAMES:
        written = cv2.imread(f'{tmp_path}/{name}_leftImg8bit.png', cv2.IMREAD_UNCHANGED)
        assert written is not None
    with pytest.raises(ArgumentError, match="imgfile_prefix='here': of the label maps only counts"):
        dataset.evaluate(dataset.make_counts(), imgfile_prefix='here')


def test_what_cannot_be_scored_is_refused(make, results, root):
    with pytest.raises(ConfigError, match='cityscapes. is that of all 19 classes .* road, car:'):
        make(classes=['road', 'car']).check_metrics('cityscapes')
    with pytest.raises(ConfigError, match="metric 'cityscape' does not exist; .*, cityscapes"):
        make().check_metrics('cityscape')
    dataset = make()
    areas = dataset.pre_eval(results, range(5))
    with pytest.raises(ArgumentError, match="metric 'cityscapes' is computed from label maps"):
        dataset.evaluate(areas, 'cityscapes', 'silent')


@pytest.mark.parametrize(('spoil', 'message'), [
    (lambda ids: ids[1:], r'sample_0\.png: its instance map is 47 x 64 .* prediction 48 x 64'),
    (lambda ids: ids + 34000, r'sample_0\.png: its instance map holds 67\d{3}, .*labels 0 to 33'),
])
def test_unfit_instance_maps_are_refused(make, results, monkeypatch, spoil, message):
    dataset = make()
    monkeypatch.setattr(dataset, 'get_instance_map',
                        lambda index: spoil(CityscapesDataset.get_instance_map(dataset, index)))
    with pytest.raises(DataError, match=message):
        stream(dataset, results[:1])


def test_other_data_sets_do_not_know_it(dataset_cfg):
    dataset = build_dataset(dataset_cfg, dict(test_mode=True))
    with pytest.raises(ConfigError, match="metric 'cityscapes' does not exist; choose from mIoU"):
        dataset.check_metrics('cityscapes')
