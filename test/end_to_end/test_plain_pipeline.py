"""The toolkit's pipelines against the same steps written by hand with OpenCV and NumPy."""
import importlib.util

import numpy as np
import pytest

from mmcv_replace.parallel import collate
from mmseg.apis import load_config
from mmseg.benchmark.pipeline import seed
from mmseg.datasets import build_dataset


@pytest.fixture(scope='module')
def plain(repo_dir):
    spec = importlib.util.spec_from_file_location(
        'plain_pipeline', repo_dir / 'test/reference/plain_pipeline.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(repo_dir, devkit, part):
    """A dataset over the devkit, its files and its steps by type."""
    cfg = load_config(repo_dir / 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py')
    steps = cfg.data[part].pipeline
    dataset = build_dataset(dict(
        type='PascalVOCDataset', data_root=str(devkit / 'VOC2012'), img_dir='JPEGImages',
        ann_dir='SegmentationClass', split='ImageSets/Segmentation/train.txt', pipeline=steps,
        test_mode=part == 'test'))
    files = [[str(devkit / 'VOC2012' / folder / f'{name}{suffix}')
              for folder, suffix in (('JPEGImages', '.jpg'), ('SegmentationClass', '.png'))]
             for name in (info['filename'].removesuffix('.jpg') for info in dataset.img_infos)]
    return dataset, files, {step['type']: step for step in steps}


def test_training_samples_are_those_made_by_hand(plain, repo_dir, devkit):
    dataset, files, steps = make(repo_dir, devkit, 'train')
    for number in range(12):
        index = number % len(files)
        seed(number)
        batch = collate([dataset[index]])
        seed(number)
        expected = plain.load_for_training(*files[index], steps)
        np.testing.assert_allclose(batch['img'].data[0][0], expected['img'], atol=2e-6)
        np.testing.assert_array_equal(batch['gt_semantic_seg'].data[0][0],
                                      expected['gt_semantic_seg'])


def test_test_samples_are_those_made_by_hand(plain, repo_dir, devkit):
    dataset, files, steps = make(repo_dir, devkit, 'test')
    for index, (image, _) in enumerate(files):
        found = dataset[index]['img'][0]
        np.testing.assert_allclose(found, plain.load_for_testing(image, steps)['img'], atol=2e-6)
