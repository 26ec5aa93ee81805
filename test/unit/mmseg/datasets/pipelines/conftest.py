import os

import cv2
import numpy as np
import pytest

from mmcv_replace.utils import build_from_cfg
from mmseg.datasets import PIPELINES
from mmseg.datasets.pipelines import loading

from .foreign_words import in_words


@pytest.fixture
def build():
    """Build a step by its name and arguments."""
    return lambda name, **kwargs: build_from_cfg(dict(kwargs, type=name), PIPELINES)


@pytest.fixture
def step(build, name):
    """Build the step of a `name` that is a parameter, with transforms of `foreign_words`."""
    return lambda *transforms, **options: build(
        name, transforms=in_words(name, transforms), **options)


@pytest.fixture
def sample():
    """A fresh sample as after loading: a smooth image [40, 56, 3] and two label maps."""
    def make():
        random = np.random.RandomState(0)
        img = cv2.GaussianBlur(random.randint(0, 256, (40, 56, 3)).astype(np.uint8), (3, 3), 0)
        label = random.randint(0, 5, (40, 56)).astype(np.uint8)
        return dict(img=img, img_shape=img.shape, ori_shape=img.shape, pad_shape=img.shape,
                    scale_factor=1.0, gt_semantic_seg=label, gt_extra=label + 100,
                    seg_fields=['gt_semantic_seg', 'gt_extra'])
    return make


@pytest.fixture
def results(data_root):
    """What a data set hands in for a sample of `data_root`, before any step."""
    def make(index, **more):
        return dict(img_info=dict(filename=f'{index}.jpg'), ann_info=dict(seg_map=f'{index}.png'),
                    img_prefix=str(data_root / 'img'), seg_prefix=str(data_root / 'ann'),
                    seg_fields=[], num_classes=4, label_map={0: 1, 1: 0}, **more)
    return make


@pytest.fixture
def decoded(monkeypatch):
    """The names of the image files that were decoded since it was cleared."""
    names, decode = [], loading.imfrombytes
    monkeypatch.setattr(loading, 'imfrombytes', lambda content, **options: names.append(
        os.path.basename(options['name'])) or decode(content, **options))
    return names


@pytest.fixture
def folder(tmp_path):
    """A folder for a cache, which does not exist yet."""
    return tmp_path / 'kept'
