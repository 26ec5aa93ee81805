"""Every shipped config loads, prints and builds, with the keys and values of the reference."""
import hashlib
import json
import re
from pathlib import Path

import pytest
import torch

from mmcv_replace.utils import Config
from mmseg.apis import load_config
from mmseg.datasets.pipelines import Compose
from mmseg.models import build_segmentor

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(str(file.relative_to(ROOT)) for file in (ROOT / 'configs').glob('[!_]*/*.py'))
HASHES = json.loads((ROOT / 'test/fixtures/state_dict_hashes.json').read_text())
RESULTS = json.loads((ROOT / 'configs/results.json').read_text())['results']
# Of a table in a README: `config`, schedule, mIoU, mIoU with several scales and flips.
ROW = re.compile(r'^\| `([\w-]+)` \| (\d+k) \| ([\d.]+) \| ([\d.]+) \|$', re.MULTILINE)


def digest(shapes):
    return hashlib.sha1(json.dumps(shapes).encode()).hexdigest()[:12]


@pytest.fixture(params=CONFIGS)
def config(request):
    return load_config(ROOT / request.param)


def test_pretty_text_loads_back(config):
    assert Config.fromstring(config.pretty_text, '.py') == config


def name_of(config):
    return str(Path(config.filename).relative_to(ROOT / 'configs').with_suffix(''))


def test_head_comment_gives_paper_command_and_expectation(config):
    head = Path(config.filename).read_text().splitlines()
    assert head[0].startswith('# Paper: ')
    assert head[1] == f'# Command: python tools/train.py configs/{name_of(config)}.py'
    assert head[2].startswith('# Expected mIoU: ')
    if name_of(config) in RESULTS:
        row = RESULTS[name_of(config)]
        assert head[2] == (f'# Expected mIoU: {row["mIoU"]:.2f} single scale, '
                           f'{row["mIoU(ms+flip)"]:.2f} multi-scale + flip (configs/results.json)')
    else:
        assert 'results.json' not in head[2]


def test_results_are_of_shipped_configs_and_as_published(shared_dir):
    published = json.loads((shared_dir / 'reference/results.json').read_text())
    for name, row in RESULTS.items():
        assert f'configs/{name}.py' in CONFIGS
        assert row.items() <= published[name].items()


@pytest.mark.parametrize('document', ['README.md', 'README.zh-CN.md'])
def test_the_table_of_a_readme_holds_the_results(document):
    rows = ROW.findall((ROOT / document).read_text())
    assert rows
    for config, schedule, single, several in rows:
        row, = [row for name, row in RESULTS.items() if name.endswith(f'/{config}')]
        assert f'_{schedule}_' in config
        assert (float(single), float(several)) == (row['mIoU'], row['mIoU(ms+flip)'])


def test_values_are_those_of_the_reference(config, shared_dir):
    """But for the place of train_cfg, the communication backend and the value that labels get."""
    configs = json.loads((shared_dir / 'reference/configs_0.10.json').read_text())
    if name_of(config) not in configs:
        pytest.skip('not a config of the reference')
    expected = configs[name_of(config)]
    for key in ('train_cfg', 'test_cfg'):
        expected['model'][key] = expected.pop(key)
    expected['dist_params'] = {}
    for steps in (expected['train_pipeline'], expected['data']['train']['pipeline']):
        assert steps[7].pop('seg_pad_val') == 255
    assert json.loads(json.dumps(config.to_dict())) == expected


def test_state_dict_is_that_of_the_reference(config):
    with torch.device('meta'):
        model = build_segmentor(config.model, config.get('train_cfg'), config.get('test_cfg'))
    name = name_of(config)
    if name not in HASHES:
        pytest.skip('not a config of the reference')
    shapes = {key: list(value.shape) for key, value in model.state_dict().items()}
    expected = HASHES[name]
    assert len(shapes) == expected['keys']
    assert sum(p.numel() for p in model.parameters()) == expected['params']
    assert digest(shapes) == expected['ordered']
    assert digest(sorted(shapes.items())) == expected['sorted']


def test_pipelines_build(config):
    for split in ('train', 'val', 'test'):
        assert len(Compose(config.data[split].pipeline).transforms) > 1
