import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import build_dataset
from mmseg.datasets.doctor import examine_all, open_report

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
CLASSES = ['road', 'car', 'sky']


class Devkit:
    """Six images `img/NAME.jpg` of 32 x 24 with masks of three classes: a to d to train on."""

    def __init__(self, root):
        self.root = root
        random = np.random.RandomState(0)
        for folder in ('img', 'ann'):
            (root / folder).mkdir()
        for name in 'abcdef':
            self.image(name, random.randint(0, 256, (24, 32, 3)))
            label = random.randint(0, 3, (24, 32))
            label[:2] = 255
            self.mask(name, label)
        self.list('train', 'abcd')
        self.list('val', 'ef')

    def image(self, name, pixels, **options):
        Image.fromarray(np.asarray(pixels, np.uint8)).save(self.image_file(name), **options)

    def mask(self, name, label):
        mask = Image.fromarray(np.asarray(label, np.uint8))
        if mask.mode == 'L':
            mask.putpalette(list(range(256)) * 3)
        mask.save(self.mask_file(name))

    def labels(self, name):
        return np.array(Image.open(self.mask_file(name)))

    def image_file(self, name):
        return self.root / 'img' / f'{name}.jpg'

    def mask_file(self, name):
        return self.root / 'ann' / f'{name}.png'

    def list(self, split, names):
        (self.root / f'{split}.txt').write_text(''.join(f'{name}\n' for name in names))

    def cfg(self, name, **options):
        return {**dict(type='CustomDataset', data_root=str(self.root), img_dir='img',
                       ann_dir='ann', split=f'{name}.txt', classes=CLASSES, pipeline=LOAD),
                **options}


@pytest.fixture
def devkit(tmp_path):
    return Devkit(tmp_path)


@pytest.fixture
def report_on(devkit):
    """`report_on(val=dict(...), nproc=1, **train options)`: the whole report on train and val."""
    def check(val=None, nproc=1, **options):
        report = open_report({
            'train': build_dataset(devkit.cfg('train', **options)),
            'val': build_dataset(devkit.cfg('val', **{**options, **(val or {})}),
                                 dict(test_mode=True))})
        examine_all(report, nproc)
        return report
    return check


@pytest.fixture
def found(report_on):
    """`found(**options)`: (kind, split, name of the file, detail) of each finding."""
    def check(**options):
        return [(item.kind, item.split, item.file.rsplit('/', 1)[-1], item.detail)
                for item in report_on(**options).findings]
    return check
