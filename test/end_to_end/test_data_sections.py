"""Every data section of mmsegmentation 0.10, on small data that our converters have made.

Its 375 configs have thirteen sections. Each gives a batch to train on, and a score.
"""
import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils import Config
from mmseg.apis.cli import set_data_root
from mmseg.apis.datasets import build_split
from mmseg.core.utils import leaf_datasets
from mmseg.datasets import build_dataloader
from mmseg.datasets.converters.chase_db1 import convert_chase_db1
from mmseg.datasets.converters.cityscapes import convert_cityscapes
from mmseg.datasets.converters.drive import convert_drive
from mmseg.datasets.converters.hrf import convert_hrf
from mmseg.datasets.converters.pascal_context import convert_pascal_context
from mmseg.datasets.converters.stare import convert_stare
from mmseg.datasets.converters.voc_aug import convert_voc_aug
from mmseg.datasets.synthetic import SplitSizes, make_devkit

from ..unit.mmseg.datasets.converters import archives

SECTIONS, CONFIGS = 13, 375
VOID = 255


def make_ade20k(root):
    """The archive of the benchmark is used as it is; 0 in its masks is no class."""
    for split, short in (('training', 'train'), ('validation', 'val')):
        for number in range(1, 5):
            for kind in ('images', 'annotations'):
                (root / kind / split).mkdir(parents=True, exist_ok=True)
            name = f'ADE_{short}_{number:08}'
            Image.fromarray(archives.photo(number, 48, 64)).save(
                root / f'images/{split}/{name}.jpg')
            mask = np.random.RandomState(number).randint(0, 151, (48, 64)).astype(np.uint8)
            Image.fromarray(mask).save(root / f'annotations/{split}/{name}.png')
    return root


def make_voc(root):
    make_devkit(root, SplitSizes(train=2, val=2, aug=2), size=64)
    convert_voc_aug(root, root / 'VOCaug')
    return root / 'VOC2012'


def make_cityscapes(root):
    archives.make_cityscapes(root)
    convert_cityscapes(root)
    return root


def make_pascal_context(root):
    convert_pascal_context(*archives.make_pascal_context(root).paths)
    return root / 'VOC2010'


def make_retina(make, convert):
    def build(root):
        convert(*make(root).paths, out_dir=root / 'out')
        return root / 'out'
    return build


MAKERS = {
    'ADE20KDataset': make_ade20k, 'PascalVOCDataset': make_voc,
    'CityscapesDataset': make_cityscapes, 'PascalContextDataset': make_pascal_context,
    'ChaseDB1Dataset': make_retina(archives.make_chase_db1, convert_chase_db1),
    'DRIVEDataset': make_retina(archives.make_drive, convert_drive),
    'HRFDataset': make_retina(archives.make_hrf, lambda *paths, out_dir: convert_hrf(
        paths, out_dir)),
    'STAREDataset': make_retina(archives.make_stare, convert_stare),
}


@pytest.fixture(scope='module')
def sections(shared_dir):
    """The different values of `data`, each with its configs."""
    found = {}
    configs = json.loads((shared_dir / 'reference/configs_0.10.json').read_text())
    for name, config in configs.items():
        found.setdefault(json.dumps(config['data'], sort_keys=True), []).append(name)
    return found


@pytest.fixture(scope='module')
def roots(tmp_path_factory):
    """`roots(type)`: the folder with the data of a class, made once."""
    made = {}

    def root_of(kind):
        if kind not in made:
            made[kind] = MAKERS[kind](tmp_path_factory.mktemp(kind))
        return str(made[kind])
    return root_of


@pytest.fixture
def config(sections, roots, request):
    cfg = Config(dict(data=json.loads(list(sections)[request.param])))
    set_data_root(cfg, roots(cfg.data.val.type))
    return cfg


every_section = pytest.mark.parametrize('config', range(SECTIONS), indirect=True)


def test_the_sections_are_those_of_all_configs(sections):
    assert len(sections) == SECTIONS
    assert sum(map(len, sections.values())) == CONFIGS


@every_section
def test_a_batch_to_train_on(config):
    dataset = build_split(config, 'train')
    leaf = next(leaf_datasets(dataset))
    pipeline = config.data.train.get('dataset', config.data.train)['pipeline']
    crop, = [tuple(step['crop_size']) for step in pipeline if step['type'] == 'RandomCrop']

    torch.manual_seed(0)
    batch = next(iter(build_dataloader(dataset, config.data.samples_per_gpu, 0, seed=0)))

    image, = batch['img'].data
    label, = batch['gt_semantic_seg'].data
    number = min(config.data.samples_per_gpu, len(dataset))
    assert image.shape == (number, 3, *crop)
    assert label.shape == (number, 1, *crop)
    assert image.std() > 0.1
    assert torch.isfinite(image).all()
    found = {*label.unique().tolist()} - {VOID}
    assert found
    assert found <= {*range(len(leaf.CLASSES))}


def plain_miou(predictions, labels, number):
    """The mean IoU of the classes that there are, one class after the other."""
    pred = np.concatenate([one.ravel() for one in predictions])
    label = np.concatenate([one.ravel() for one in labels])
    pred, label = pred[label != VOID], label[label != VOID]
    unions = [((pred == each) | (label == each)).sum() for each in range(number)]
    return np.mean([((pred == each) & (label == each)).sum() / union
                    for each, union in enumerate(unions) if union])


@every_section
@pytest.mark.parametrize('split', ['val', 'test'])
def test_a_score(config, split):
    dataset = build_split(config, split)
    sample = dataset[0]
    assert sample['img'][0].shape[0] == 3

    labels = [dataset.get_gt_seg_map(index) for index in range(len(dataset))]
    random = np.random.RandomState(0)
    number = len(dataset.CLASSES)
    predictions = [np.where(random.rand(*label.shape) < 0.7, np.minimum(label, number - 1),
                            random.randint(0, number, label.shape)) for label in labels]
    scores = dataset.evaluate(predictions, logger='silent')

    assert scores['mIoU'] == pytest.approx(plain_miou(predictions, labels, number))
    assert 0 < scores['mIoU'] < 1
