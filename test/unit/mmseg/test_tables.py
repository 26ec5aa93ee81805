"""Columns of all tables stay aligned with names of classes in Chinese."""
import unicodedata
from collections import Counter

import cv2
import numpy as np
from PIL import Image

from mmcv_replace.utils import Config, Registry
from mmseg.apis.check_dataset import check_dataset
from mmseg.core.evaluation.table import format_class_table
from mmseg.datasets.importers import report as imported
from mmseg.datasets.importers.legend import Legend
from mmseg.zoo.listing import format_models
from mmseg.zoo.models import PublishedModel

NAMES = ['\u80cc\u666f', 'road', '\u4eba\u884c\u9053 (sidewalk)', 'caf\u00e9', 'cafe\u0301']


def columns(text):
    return sum({'W': 2, 'F': 2}.get(unicodedata.east_asian_width(char), 1)
               for char in text if not unicodedata.combining(char))


def places(line, mark):
    """The columns at which a mark stands."""
    return [columns(line[:place]) for place, char in enumerate(line) if char == mark]


def assert_aligned(text, rows):
    lines = [line for line in text.splitlines() if line.startswith('|')]
    assert len(lines) >= rows
    heads = [line for line in text.splitlines() if line.startswith('+')]
    assert {tuple(places(line, '|')) for line in lines} == {tuple(places(heads[0], '+'))}


def test_scores_of_classes():
    assert_aligned(format_class_table(NAMES, dict(IoU=np.arange(5) / 5)), 6)


def test_report_of_an_import():
    counts = Counter({0: 7, 2: 5})
    legend = Legend(tuple(NAMES), frozenset(), 0)
    assert_aligned(imported._table(legend, counts, counts), 6)


def test_published_models():
    assert_aligned(format_models([PublishedModel(name, dataset=name) for name in NAMES]), 6)


def test_check_of_a_data_set(tmp_path):
    for name in ('img', 'ann'):
        (tmp_path / name).mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / f'img/{number}.jpg'), np.full((8, 8, 3), 9 * number, np.uint8))
        label = np.arange(64).reshape(8, 8) % 5
        Image.fromarray(label.astype(np.uint8)).save(tmp_path / f'ann/{number}.png')
    cfg = Config(dict(data=dict(train=dict(
        type='CustomDataset', data_root=str(tmp_path), img_dir='img', ann_dir='ann', classes=NAMES,
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]))))
    assert_aligned(check_dataset(cfg, nproc=1)[0], 6)
    own = Config(dict(own_data=dict(images=str(tmp_path / 'img'), masks=str(tmp_path / 'ann'),
                                    classes=NAMES), data=cfg.data))
    own.data.train = dict(type='CustomDataset', pipeline=cfg.data.train.pipeline, img_dir='x')
    own.data.val = dict(own.data.train)
    text = check_dataset(own, ['train'], nproc=1)[0]
    tables = text.split('\n\n')
    assert_aligned(next(part for part in tables if 'in the masks' in part), 6)


def test_origins_of_settings():
    cfg = Config(dict(a=dict(x=NAMES[:2], long_name=1)))
    lines = cfg.explain('a').splitlines()[1:]
    assert len(lines) == 2
    assert len({tuple(places(line, '#')) for line in lines}) == 1


def test_names_in_a_registry():
    registry = Registry('things')
    for name in (NAMES[0], 'a_long_name'):
        registry.register_module(name=name, module=Counter)
    lines = repr(registry).splitlines()[1:]
    assert len({columns(line[:line.index('collections')]) for line in lines}) == 1
