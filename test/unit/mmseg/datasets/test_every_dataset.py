"""What every registered data set has to do, compared with plain forms of it.

A data set of our layout (images, masks and a list by its class attributes) is covered as soon as
it is registered. Arguments that it cannot do without go into OPTIONS.
"""
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.utils import leaf_datasets
from mmseg.datasets import (
    DATASETS,
    ConcatDataset,
    RepeatDataset,
    build_dataloader,
    build_dataset,
)

OPTIONS = {'CustomDataset': dict(classes=['a', 'b', 'c'])}
WRAPPERS = {
    'ConcatDataset': lambda parts: dict(datasets=parts),
    'MultiImageMixDataset': lambda parts: dict(dataset=parts, pipeline=[]),
    'RepeatDataset': lambda parts: dict(dataset=parts[0], times=2),
}
OURS = [name for name in DATASETS if DATASETS.get(name).__module__.startswith('mmseg.')]
LEAVES = [name for name in OURS if not hasattr(DATASETS.get(name), 'inner')]
NAMES = ['b', 'city/a', 'd']
VOID = 255


def option_sets(name):
    """Arguments of a data set: none, a choice of its classes, other files."""
    cls, first = DATASETS.get(name), OPTIONS.get(name, {})
    assert cls.CLASSES or 'classes' in first, f'{name} has no CLASSES: set them, or add to OPTIONS'
    yield first
    if cls.CLASSES is None:
        yield first | dict(reduce_zero_label=True)
    else:
        yield first | dict(classes=[cls.CLASSES[-1], cls.CLASSES[0]],
                           palette=[[1, 2, 3], [4, 5, 6]] + [[7, 8, 9]] * (len(cls.CLASSES) - 2))
    yield first | dict(img_suffix='_i.png', seg_map_suffix='_m.png', test_mode=True)


CASES = [pytest.param(name, options, id=f'{name}-{number}')
         for name in LEAVES for number, options in enumerate(option_sets(name))]


class Devkit:
    """A small data set of each kind, and what its label maps are by a rule for each pixel."""

    def __init__(self, root, name, options):
        cls = DATASETS.get(name)
        self.names = list(cls.CLASSES or options['classes'])
        self.wanted = list(options.get('classes', self.names))
        self.label_map = cls.label_map or {}
        self.reduces = options.get('reduce_zero_label', cls.reduce_zero_label)
        random = np.random.RandomState(0)
        self.stored = {}
        for number, sample in enumerate(NAMES):
            size = 24 + number, 31 - 2 * number
            image = root / 'img' / (sample + options.get('img_suffix', cls.img_suffix))
            mask = root / 'ann' / (sample + options.get('seg_map_suffix', cls.seg_map_suffix))
            self.stored[sample] = np.resize(random.permutation(self._file_values()), size)
            for path, content in ((image, random.randint(0, 256, (*size, 3))),
                                  (mask, self.stored[sample])):
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(content.astype(np.uint8)).save(path)
        (root / 'list.txt').write_text('\n'.join(NAMES))
        self.cfg = dict(type=name, data_root=str(root), img_dir='img', ann_dir='ann',
                        split='list.txt', pipeline=[
                            dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                            dict(type='Pad', size=(32, 32)), dict(type='DefaultFormatBundle'),
                            dict(type='Collect', keys=['img', 'gt_semantic_seg'],
                                 meta_keys=['filename'])]) | options

    def _file_values(self):
        values = list(self.label_map) or [
            index + bool(self.reduces) for index in range(len(self.names))]
        return [*values, VOID, *([0] if self.reduces else [])]

    def labels(self, sample):
        return np.vectorize(self._label)(self.stored[sample])

    def _label(self, value):
        value = self.label_map.get(value, value)
        if self.reduces:
            value = VOID if value in (0, VOID) else value - 1
        if value in (VOID, -1) or self.names[value] not in self.wanted:
            return VOID
        return self.wanted.index(self.names[value])


@pytest.fixture
def devkit(request, tmp_path):
    return Devkit(tmp_path, *request.param)


def every_case(function):
    cases = [pytest.param(case.values, id=case.id) for case in CASES]
    return pytest.mark.parametrize('devkit', cases, indirect=True)(function)


def test_every_data_set_is_covered():
    assert set(OURS) == {*LEAVES, *WRAPPERS}


@pytest.mark.parametrize('name', LEAVES)
def test_classes_and_colours(shared_dir, name):
    cls = DATASETS.get(name)
    facts = json.loads((shared_dir / 'reference/classes.json').read_text()).get(name)
    if facts is None:
        pytest.skip(f'no published classes of {name}')
    assert list(cls.CLASSES) == facts['classes']
    assert [list(colour) for colour in cls.PALETTE] == facts['palette']


@every_case
def test_samples(devkit):
    dataset = build_dataset(devkit.cfg)

    assert len(dataset) == len(NAMES)
    assert list(dataset.CLASSES) == devkit.wanted
    assert len(dataset.PALETTE) == len(devkit.wanted)
    for index, sample in enumerate(NAMES):
        expected = devkit.labels(sample)
        assert dataset.img_infos[index]['filename'] == sample + dataset.img_suffix
        np.testing.assert_array_equal(dataset.get_gt_seg_map(index), expected)
        if not dataset.test_mode:
            label = dataset[index]['gt_semantic_seg'].data[0].numpy()
            height, width = expected.shape
            np.testing.assert_array_equal(label[:height, :width], expected)
            assert (label[height:] == VOID).all()
            assert set(np.unique(label)) <= {*range(len(devkit.wanted)), VOID}


def plain_scores(predictions, labels, number):
    """IoU and accuracy of each class, and the share of right pixels, one class after the other."""
    pred = np.concatenate([one.ravel() for one in predictions])
    label = np.concatenate([one.ravel() for one in labels])
    pred, label = pred[label != VOID], label[label != VOID]
    hits = [int(((pred == each) & (label == each)).sum()) for each in range(number)]
    iou = [hits[each] / int(((pred == each) | (label == each)).sum()) for each in range(number)]
    acc = [hits[each] / int((label == each).sum()) for each in range(number)]
    return iou, acc, sum(hits) / len(label)


@every_case
def test_scores(devkit):
    dataset = build_dataset(devkit.cfg)
    labels = [devkit.labels(sample) for sample in NAMES]
    number = len(devkit.wanted)
    random = np.random.RandomState(1)
    predictions = [np.where((random.rand(*label.shape) < 0.6) & (label != VOID), label,
                            random.randint(0, number, label.shape)) for label in labels]
    iou, acc, right = plain_scores(predictions, labels, number)

    scores = dataset.evaluate(predictions, logger='silent')

    assert scores['aAcc'] == pytest.approx(right)
    assert scores['mIoU'] == pytest.approx(np.mean(iou))
    assert scores['mAcc'] == pytest.approx(np.mean(acc))
    assert [scores[f'IoU.{name}'] for name in dataset.CLASSES] == pytest.approx(iou)
    areas = [one for index, each in enumerate(predictions)
             for one in dataset.pre_eval(each, index)]
    assert dataset.evaluate(areas, logger='silent') == pytest.approx(scores)


@every_case
def test_written_predictions(devkit, tmp_path):
    dataset = build_dataset(devkit.cfg)
    number = len(devkit.wanted)
    predictions = [np.arange(12).reshape(3, 4) % number, np.full((2, 2), number - 1)]

    for to_label_id in (True, False):
        written = range(number)  # for each class
        if to_label_id and dataset.server_labels.keys() >= set(dataset.CLASSES):
            written = [dataset.server_labels[name] for name in dataset.CLASSES]
        files = dataset.format_results(predictions, str(tmp_path / 'out'), indices=[2, 0],
                                       to_label_id=to_label_id)
        for file, prediction in zip(files, predictions, strict=True):
            with Image.open(file) as image:
                np.testing.assert_array_equal(np.array(image), np.array(written)[prediction])
                if to_label_id and dataset.server_grey:
                    assert image.mode == 'L'
                    continue
                colours = np.array(image.getpalette()).reshape(-1, 3)
                np.testing.assert_array_equal(colours[written], dataset.PALETTE)


@every_case
def test_workers_and_wrappers(devkit):
    dataset = build_dataset(devkit.cfg | dict(test_mode=False))
    copied = pickle.loads(pickle.dumps(dataset))
    nested = RepeatDataset(ConcatDataset([dataset, copied]), 2)
    expected = [dataset[index % 3]['img'].data for index in range(12)]

    assert [*leaf_datasets(nested)] == [dataset, copied]
    assert (nested.CLASSES, nested.PALETTE) == (dataset.CLASSES, dataset.PALETTE)
    for workers in (0, 1):
        loader = build_dataloader(nested, 1, workers, shuffle=False)
        for batch, image in zip(loader, expected, strict=True):
            np.testing.assert_array_equal(batch['img'].data[0][0], image)


@pytest.mark.parametrize('name', WRAPPERS)
def test_wrappers_in_configs(tmp_path, name):
    cfg = Devkit(tmp_path, 'CustomDataset', OPTIONS['CustomDataset']).cfg
    wrapper = build_dataset(dict(type=name, **WRAPPERS[name]([cfg, cfg])), dict(test_mode=True))

    assert len(wrapper) == 2 * len(NAMES)
    assert list(wrapper.CLASSES) == ['a', 'b', 'c']
    assert wrapper.ignore_index == VOID
    assert all(part.test_mode for part in leaf_datasets(wrapper))


@every_case
def test_mistakes(devkit):
    if DATASETS.get(devkit.cfg['type']).CLASSES is not None:
        wrong = devkit.names[1] + 'x'
        with pytest.raises(ConfigError, match=f"'{wrong}'.*not among.*did you mean"):
            build_dataset(devkit.cfg | dict(classes=[wrong]))
    with open(f'{devkit.cfg["data_root"]}/list.txt', 'w'):
        pass
    with pytest.raises(DataError, match=f"{devkit.cfg['type']}: 0 images"):
        build_dataset(devkit.cfg).check_files()
