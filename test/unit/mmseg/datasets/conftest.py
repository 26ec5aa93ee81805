import cv2
import numpy as np
import pytest
from PIL import Image

NUM_CLASSES = 4


@pytest.fixture
def data_root(tmp_path):
    """A small dataset: six images `img/N.jpg` of different sizes, and their masks `ann/N.png`."""
    (tmp_path / 'img').mkdir()
    (tmp_path / 'ann').mkdir()
    random = np.random.RandomState(0)
    for number in range(6):
        height, width = 30 + 2 * number, 44 - 3 * number
        img = cv2.GaussianBlur(random.randint(0, 256, (height, width, 3)).astype(np.uint8), (3, 3),
                               0)
        label = random.randint(0, NUM_CLASSES, (height, width)).astype(np.uint8)
        label[:2] = 255
        cv2.imwrite(str(tmp_path / 'img' / f'{number}.jpg'), img)
        mask = Image.fromarray(label)
        mask.putpalette(list(range(256)) * 3)
        mask.save(tmp_path / 'ann' / f'{number}.png')
    (tmp_path / 'train.txt').write_text('4\n0\n\n2 \n')
    return tmp_path


@pytest.fixture
def dataset_cfg(data_root):
    """Config of a dataset of the images in `data_root`, with random steps in its pipeline."""
    return dict(
        type='CustomDataset',
        data_root=str(data_root),
        img_dir='img',
        ann_dir='ann',
        classes=['a', 'b', 'c', 'd'],
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='Resize', img_scale=(48, 40), ratio_range=(0.8, 2.0)),
            dict(type='RandomCrop', crop_size=(24, 20), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
            dict(type='Normalize', mean=[120.0, 110, 100], std=[60.0, 58, 57], to_rgb=True),
            dict(type='Pad', size=(24, 20)),
            dict(type='DefaultFormatBundle'),
            dict(type='Collect', keys=['img', 'gt_semantic_seg']),
        ])


@pytest.fixture
def voc_root(shared_dir):
    """400 real training and 100 validation images of VOC 2012 with their masks."""
    return shared_dir / 'data/voc-mini/VOCdevkit/VOC2012'
