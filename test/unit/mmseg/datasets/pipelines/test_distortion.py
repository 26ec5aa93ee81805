import cv2
import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError


class SlowDistortion:
    """The steps one by one, in float arithmetic; counts what it did."""

    def __init__(self, delta=32, contrast=(0.5, 1.5), saturation=(0.5, 1.5), hue=18):
        self.settings = delta, contrast, saturation, hue
        self.done = []

    @staticmethod
    def linear(values, factor, offset):
        return np.clip(values.astype(np.float32) * factor + offset, 0, 255).astype(np.uint8)

    def __call__(self, img):
        delta, contrast, saturation, hue = self.settings
        draw = np.random

        def change_contrast(img):
            if draw.randint(2):
                self.done.append('contrast')
                return self.linear(img, draw.uniform(*contrast), 0)
            return img

        if draw.randint(2):
            self.done.append('brightness')
            img = self.linear(img, 1, draw.uniform(-delta, delta))
        mode = draw.randint(2)
        if mode == 1:
            img = change_contrast(img)
        if draw.randint(2):
            self.done.append('saturation')
            hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
            hsv[..., 1] = self.linear(hsv[..., 1], draw.uniform(*saturation), 0)
            img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
        if draw.randint(2):
            self.done.append('hue')
            hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(int) + draw.randint(-hue, hue)) % 180
            img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
        return change_contrast(img) if mode == 0 else img


@pytest.mark.parametrize('settings', [
    {},
    dict(brightness_delta=100, contrast_range=(0.1, 3.0), saturation_range=(0.0, 4.0),
         hue_delta=90),
])
def test_pixels_and_draws_are_those_of_the_steps_one_by_one(build, sample, settings):
    step = build('PhotoMetricDistortion', **settings)
    slow = SlowDistortion(*settings.values())
    for seed in range(60):
        np.random.seed(seed)
        expected = slow(sample()['img'])
        after = np.random.rand()
        np.random.seed(seed)

        np.testing.assert_array_equal(step(sample())['img'], expected)
        assert np.random.rand() == after
    counts = [slow.done.count(name) for name in ('brightness', 'contrast', 'saturation', 'hue')]
    assert all(15 < count < 45 for count in counts)


def test_the_input_is_not_changed(build, sample):
    results = sample()
    img, before = results['img'], results['img'].copy()

    for seed in range(10):
        np.random.seed(seed)
        build('PhotoMetricDistortion')(dict(results))

    np.testing.assert_array_equal(img, before)


@pytest.mark.parametrize('img', [
    np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 1), np.uint8)])
def test_images_of_another_kind_are_refused(build, img):
    with pytest.raises(ConfigError, match=r'needs a uint8 image \[H, W, 3\], not .*Normalize'):
        build('PhotoMetricDistortion')(dict(img=img))
