"""Folders of images and masks as people have them."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg.datasets import CustomDataset
from mmseg.datasets.own import OwnDataSettings, make_plan


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


@pytest.fixture
def plan(folders):
    """The plan for one mask an array, and the labels that its data set reads."""
    def make(*masks, palette=None, **settings):
        for place, mask in enumerate(masks):
            folders.image(f'{place}.jpg')
            folders.mask(f'{place}.png', mask, palette)
        if len(masks) == 1:
            folders.image('copy.jpg')
            folders.mask('copy.png', masks[0], palette)
        plan = make_plan(folders.settings(group=False, **settings))
        keys = ('classes', 'palette', 'label_map', 'colour_map', 'class_files')
        lists = folders.root / 'list.txt'
        lists.write_text('\n'.join(sorted(plan.lists['train'] + plan.lists['val'])))
        made = plan.datasets['train']
        data = CustomDataset(
            pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')],
            img_dir=made['img_dir'], ann_dir=made['ann_dir'], split=str(lists),
            **{key: made[key] for key in keys if key in made})
        return plan, [data[place]['gt_semantic_seg'] for place in range(len(masks))]
    return make
