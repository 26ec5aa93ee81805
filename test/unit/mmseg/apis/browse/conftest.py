"""Small data sets in a config, and a page that is read back."""
import base64
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils import Config
from mmseg.apis.browse import BrowseOptions, browse_dataset

PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=(24, 24)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='Normalize', mean=[120.0, 110, 100], std=[60.0, 58, 57], to_rgb=True),
    dict(type='Pad', size=(32, 32)),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_semantic_seg']),
]


@pytest.fixture
def folder(tmp_path):
    """Four images of noise in blocks, and masks of the classes 0 to 3 with ignored pixels."""
    rng = np.random.default_rng(0)
    for name in ('img', 'ann'):
        (tmp_path / name).mkdir()
    for number in range(4):
        blocks = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f'img/{number}.png'), cv2.resize(blocks, (40, 32)))
        label = rng.integers(0, 4, (4, 5)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
        label[:3] = 255
        Image.fromarray(label).save(tmp_path / f'ann/{number}.png')
    return tmp_path


@pytest.fixture
def make_config(folder):
    """`make_config(pipeline, **settings of the data set)`"""
    def make(pipeline=PIPELINE, wrap=lambda dataset: dataset, seed=5, **settings):
        train = dict(type='CustomDataset', data_root=str(folder), img_dir='img', ann_dir='ann',
                     img_suffix='.png', pipeline=pipeline, **settings)
        return Config(dict(data=dict(samples_per_gpu=1, workers_per_gpu=0, train=wrap(train)),
                           work_dir=str(folder / 'work'), seed=seed))
    return make


class Reader(HTMLParser):
    """Figures of a page: the text of each, and its pictures."""

    def __init__(self, text):
        super().__init__()
        self.figures, self.text, self.titles, self.depth, self.last = [], '', [], [], None
        self.told = False  # whether what follows in a figure is its text
        self.feed(text)

    def handle_starttag(self, name, attributes):
        attributes = dict(attributes)
        if name == 'figure':
            self.told = False
            self.figures.append(dict(text='', pictures={}))
            self.depth.append(self.figures[-1])
        if name == 'h2':
            self.titles.append('')
        if name == 'img':
            content = base64.b64decode(attributes['src'].partition(',')[2])
            self.depth[-1]['pictures'][attributes['alt']] = cv2.imdecode(
                np.frombuffer(content, np.uint8), 1)
        self.told = self.told or name in ('figcaption', 'pre', 'summary')
        self.last = name

    def handle_endtag(self, name):
        if name == 'figure':
            self.depth.pop()

    def handle_data(self, data):
        self.text += data
        if self.depth and self.told:
            self.depth[-1]['text'] += data
        if self.last == 'h2':
            self.titles[-1] += data.strip()

    def step(self, name):
        return next(figure for figure in self.figures if figure['text'].startswith(name))


@pytest.fixture
def browse(folder):
    """`browse(config, **options)`: the page, the text and the exit code."""
    def run(cfg, **options):
        options = dict(number=0, **options) if 'indices' not in options else options
        text, code = browse_dataset(cfg, BrowseOptions(**options))
        page = folder / 'work/browse' / f'{options.get("split", "train")}.html'
        return Reader(page.read_text(encoding='utf-8')), text, code
    return run
