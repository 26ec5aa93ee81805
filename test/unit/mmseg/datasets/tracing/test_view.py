"""A sample at one place of its pipeline, as a picture."""
import numpy as np
import pytest
import torch

from mmcv_replace.image import imnormalize
from mmcv_replace.parallel import DataContainer
from mmseg.datasets.tracing import View, difference

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.fixture
def img():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def norm(to_rgb, channels=3):
    return dict(mean=np.array(MEAN[:1] * channels if channels != 3 else MEAN, np.float32),
                std=np.array(STD[:1] * channels if channels != 3 else STD, np.float32),
                to_rgb=to_rgb)


@pytest.mark.parametrize('to_rgb', [True, False])
@pytest.mark.parametrize('red_first', [True, False])
def test_normalisation_is_undone(img, to_rgb, red_first):
    """Whatever the order of channels, the picture is that before the normalisation."""
    loaded = View(img, {}, dict(mean=np.zeros(3), std=np.ones(3), to_rgb=red_first))
    before = loaded.picture(red_first=red_first)
    assert np.array_equal(before, img[..., ::-1] if red_first else img)
    normalised = imnormalize(img, np.float32(MEAN), np.float32(STD), to_rgb)
    view = View(normalised, {}, norm(to_rgb != red_first))
    assert difference(view.picture(red_first=red_first), before) <= 1


def test_formatted_samples(img):
    """Tensors in containers, with meta data."""
    normalised = imnormalize(img, np.float32(MEAN), np.float32(STD), True)
    tensor = torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))
    label = torch.arange(48).reshape(1, 6, 8)
    sample = dict(img=DataContainer(tensor, stack=True), gt_semantic_seg=DataContainer(label),
                  img_metas=DataContainer(dict(img_norm_cfg=norm(True)), cpu_only=True))
    view = View.of(sample, ['gt_semantic_seg', 'gt_edge'])
    assert difference(view.picture(), img) <= 1
    assert np.array_equal(view.labels['gt_semantic_seg'], label[0].numpy())
    assert list(view.labels) == ['gt_semantic_seg']
    views = {key: [value] for key, value in sample.items()}
    assert difference(View.of(views).picture(), img) <= 1


def test_bands(img):
    many = np.concatenate([img, img[..., :2] // 2], axis=2)
    view = View(many, {}, None)
    assert np.array_equal(view.picture(red_first=True), img[..., ::-1])
    assert np.array_equal(view.picture(bands=[4, 0, 1], red_first=True),
                          many[..., [1, 0, 4]])
    assert np.array_equal(view.picture(bands=[3]), many[..., [3, 3, 3]])
    normalised = (many - np.float32(MEAN[0])) / np.float32(STD[0])
    view = View(normalised, {}, norm(False, 5))
    assert difference(view.picture(bands=[3]), many[..., [3, 3, 3]]) <= 1


def test_images_of_other_values(img):
    grey = img[..., 0]
    for one in (grey, grey[..., None]):
        assert np.array_equal(View(one, {}, None).picture(), grey[..., None].repeat(3, 2))
    large = img.astype(np.float32) * 40
    stretched = View(large, {}, None).picture(of_bytes=False)
    assert (stretched.min(), stretched.max()) == (0, 255)
    assert View(large, {}, None).picture().mean() > 200  # clipped
    assert View(img / 255, {}, None).picture(of_bytes=False).max() == img.max()
    spoiled = img.astype(np.float32)
    spoiled[0, 0, 0] = np.nan
    assert View(spoiled, {}, None).picture()[0, 0, 0] == 0


def test_what_is_no_picture():
    assert View.of(None).picture() is None
    assert View.of(dict(img=5)).picture() is None
    assert View(np.zeros((2, 0, 3)), {}, None).picture() is None
    assert View(np.zeros((2, 2, 2, 3)), {}, None).picture() is None
    assert View.of({}).facts() == 'no image'
    assert View(np.zeros((0, 2), np.uint8), {}, None).facts() == '2 x 0, 1 band of uint8'
    assert View(np.float32([[0.5, 12000]]), {}, None).facts() == (
        '2 x 1, 1 band of float32, 0.5 to 12000')
    assert View(np.zeros((4, 6, 3), int), {}, None).facts() == '6 x 4, 3 bands of int64, 0 to 0'
    assert View(np.zeros((2, 2, 2, 3)), {}, None).facts() == 'an array [2, 2, 2, 3] of float64'


def test_difference_of_pictures(img):
    assert difference(img, img) == 0
    assert difference(None, None) == 0
    assert difference(None, img) == np.inf
    assert difference(img, img[1:]) == np.inf
    low = np.zeros((1, 1, 3), np.uint8)
    assert difference(low, low + np.uint8(255)) == difference(low + np.uint8(255), low) == 255
