"""A step of the pipeline."""
import mmcv
import numpy as np

from mmseg.datasets.builder import PIPELINES


@PIPELINES.register_module()
class RandomShade:
    """Darken a half of the image, and mark a border of the labels as ignored."""

    def __init__(self, prob=0.5, gamma=2.0, border=1):
        assert 0 <= prob <= 1
        self.prob = prob
        self.table = (np.linspace(0, 1, 256)**gamma * 255).astype(np.uint8)
        self.border = border

    def __call__(self, results):
        img = results['img']
        if np.random.rand() < self.prob:
            half = img.shape[1] // 2
            img[:, :half] = mmcv.lut_transform(np.ascontiguousarray(img[:, :half]), self.table)
            img = mmcv.imflip(mmcv.imflip(img))
        results['img'] = img
        for key in results.get('seg_fields', []):
            results[key][:self.border] = 255
        return results

    def __repr__(self):
        return self.__class__.__name__ + f'(prob={self.prob})'
