"""Folders of images and masks as people have them."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg.datasets.own import OwnDataSettings


class Folders:
    """`images` and `masks` below a folder; sizes are those of the last mask."""

    def __init__(self, root):
        self.root = root
        self.images, self.masks = root / 'images', root / 'masks'

    def image(self, name, size=(8, 12), pixels=None, folder='images'):
        """A picture of noise, or of `pixels`, that differs with its name."""
        noise = np.random.default_rng(sum(map(ord, name))).integers(0, 256, (*size, 3))
        return self._save(folder, name, Image.fromarray(
            (noise if pixels is None else pixels).astype(np.uint8)))

    def mask(self, name, label, palette=None, folder='masks'):
        """A mask of numbers [H, W], with a palette, or of colours [H, W, 3]."""
        image = Image.fromarray(np.asarray(label, np.uint8))
        if palette is not None:
            image.putpalette(np.asarray(palette, np.uint8).tobytes())
        return self._save(folder, name, image)

    def _save(self, folder, name, image):
        file = Path(self.root, folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
        return file

    def settings(self, **settings):
        return OwnDataSettings(**{'images': str(self.images), 'masks': str(self.masks)} | settings)


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path)


@pytest.fixture
def numbers():
    """`numbers(0, 1, 255)`: a label map [8, 12] of bands of these values."""
    def make(*values):
        return np.repeat(np.resize(values, 12)[None], 8, axis=0).astype(np.uint8)
    return make


@pytest.fixture
def coloured():
    """`coloured((0, 0, 0), (1, 2, 3))`: bands [8, 12, 3] of these RGB colours."""
    def make(*colours):
        places = np.resize(np.arange(len(colours)), 12)
        return np.repeat(np.array(colours, np.uint8)[places][None], 8, axis=0)
    return make
