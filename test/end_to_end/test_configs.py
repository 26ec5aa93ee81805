"""Every config that is shipped: it loads, prints, builds, and has the reference's keys."""
import hashlib
import json
from pathlib import Path

import pytest
import torch

from mmcv_replace.utils import Config
from mmseg.apis import load_config
from mmseg.datasets import PIPELINES
from mmseg.models import build_segmentor

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(str(file.relative_to(ROOT)) for file in (ROOT / 'configs').glob('[!_]*/*.py'))
HASHES = json.loads((ROOT / 'test/fixtures/state_dict_hashes.json').read_text())


def digest(shapes):
    return hashlib.sha1(json.dumps(shapes).encode()).hexdigest()[:12]


@pytest.fixture(params=CONFIGS)
def config(request):
    return load_config(ROOT / request.param)


def test_pretty_text_loads_back(config):
    assert Config.fromstring(config.pretty_text, '.py') == config


def test_head_comment_gives_paper_command_and_expectation(config):
    head = Path(config.filename).read_text().splitlines()
    name = Path(config.filename).relative_to(ROOT)
    assert head[0].startswith('# Paper: ')
    assert head[1] == f'# Command: python tools/train.py {name}'
    assert head[2].startswith('# Expected mIoU: ')


def test_state_dict_is_that_of_the_reference(config):
    with torch.device('meta'):
        model = build_segmentor(config.model, config.get('train_cfg'), config.get('test_cfg'))
    name = str(Path(config.filename).relative_to(ROOT / 'configs').with_suffix(''))
    if name not in HASHES:
        pytest.skip('not a config of the reference')
    shapes = {key: list(value.shape) for key, value in model.state_dict().items()}
    expected = HASHES[name]
    assert len(shapes) == expected['keys']
    assert sum(p.numel() for p in model.parameters()) == expected['params']
    assert digest(shapes) == expected['ordered']
    assert digest(sorted(shapes.items())) == expected['sorted']


def test_pipelines_name_known_transforms(config):
    for split in ('train', 'val', 'test'):
        assert all(step.type in PIPELINES for step in config.data[split].pipeline)
