"""Images of a few pixels, and a model for them."""
import cv2
import numpy as np
import pytest
import torch
from torch import nn

from mmseg.apis import init_segmentor

from .small_model import SIZE, config


@pytest.fixture
def make(tmp_path):
    """Writes images and a checkpoint; returns config, checkpoint and files."""
    def make(loader, channels, dtype=np.uint8, stored=None, suffix='.png', scale=120.0):
        rng = np.random.default_rng(0)
        (tmp_path / 'img').mkdir()
        files = []
        for i in range(3):
            coarse = rng.random((4, 5, stored or channels)) * 2 * scale
            img = cv2.resize(coarse, SIZE[::-1]).reshape(*SIZE, -1).astype(dtype)
            files.append(str(tmp_path / f'img/{i}{suffix}'))
            if suffix == '.npy':
                np.save(files[-1], img)
            else:
                cv2.imwrite(files[-1], img)
        cfg = config(tmp_path, loader, channels, suffix, scale)
        torch.manual_seed(0)
        model = init_segmentor(cfg, None, 'cpu')
        nn.init.normal_(model.decode_head.conv_seg.weight)
        model.decode_head.conv_seg.bias.data -= model.forward_dummy(
            torch.randn(2, channels, *SIZE)).mean((0, 2, 3))
        torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / 'model.pth')
        return cfg, str(tmp_path / 'model.pth'), files
    return make
