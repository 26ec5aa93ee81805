import cv2
import numpy as np
import pytest

from mmcv_replace.utils import build_from_cfg
from mmseg.datasets import PIPELINES

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
