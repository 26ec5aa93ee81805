"""Every shipped config loads, prints and builds, with the keys and values of the reference.

One test looks at all configs of a folder: there are hundreds of them, and each takes milliseconds.
"""
import hashlib
import json
import re

import pytest
import torch

from mmcv_replace.utils import Config
from mmseg.apis.settings import check_settings
from mmseg.datasets.pipelines import Compose
from mmseg.models import build_segmentor

from .shipped_configs import FOLDERS, HASHES, NAMES, ROOT, config_of, names_in

PUBLISHED = json.loads((ROOT / 'configs/results.json').read_text())
RESULTS, RENAMED = PUBLISHED['results'], PUBLISHED['renamed']
# Of a table in a README: `config`, schedule, mIoU, mIoU with several scales and flips.
ROW = re.compile(r'^\| `([\w-]+)` \| (\d+k) \| ([\d.]+) \| ([\d.]+) \|$', re.MULTILINE)
# Where our values are others than those of the reference, and why.
DEVIATIONS = {
    'dist_params': 'the backend is that of the device, which may not be a GPU',
    'train_cfg, test_cfg': 'they are part of the model, as in later versions of the reference',
    'seg_pad_val': "padded labels are the data set's ignore_index, which a config may change",
}
# What changes neither names nor shapes of the weights.
WITHOUT_WEIGHTS = ('pretrained', 'test_cfg', 'train_cfg', 'align_corners', 'dropout_ratio')

all_folders = pytest.mark.parametrize('folder', FOLDERS)


@all_folders
def test_pretty_text_loads_back(folder):
    for name in names_in(folder):
        assert Config.fromstring(config_of(name).pretty_text, '.py') == config_of(name), name


@all_folders
def test_head_comment_gives_paper_command_and_expectation(folder):
    for name in names_in(folder):
        paper, command, *lines = (ROOT / f'configs/{name}.py').read_text().splitlines()
        assert paper.startswith('# Paper: ')
        assert command == f'# Command: python tools/train.py configs/{name}.py'
        assert lines[0].startswith('# Expected mIoU: ')
        if name in RESULTS:
            assert lines[0] == f'# Expected mIoU: {scores(RESULTS[name])} (configs/results.json)'
        elif name in RENAMED:
            assert lines[0] == f'# Expected mIoU: {scores(RENAMED[name])}'
            assert lines[1] == f'#     as {RENAMED[name]["published_as"]}'
        else:
            assert 'results.json' not in lines[0]


def scores(row):
    """The published figures of a row of results.json, in words."""
    if 'Dice' in row:
        return f'not published; Dice of the vessels {row["Dice"]:.2f}'
    several = row.get('mIoU(ms+flip)')
    return f'{row["mIoU"]:.2f} single scale' + (
        '' if several is None else f', {several:.2f} multi-scale + flip')


def test_results_are_of_shipped_configs_and_as_published(shared_dir):
    published = json.loads((shared_dir / 'reference/results.json').read_text())
    ours = json.loads((shared_dir / 'reference/configs_0.10.json').read_text())
    assert set(RESULTS) == set(published) & set(ours)
    for name, row in (RESULTS | RENAMED).items():
        assert name in NAMES
        row = dict(row)
        assert row.items() <= published[row.pop('published_as', name)].items(), name


@pytest.mark.parametrize('document', ['README.md', 'README.zh-CN.md'])
def test_the_table_of_a_readme_holds_the_results(document):
    rows = ROW.findall((ROOT / document).read_text())
    assert rows
    for config, schedule, single, several in rows:
        row, = [row for name, row in RESULTS.items() if name.endswith(f'/{config}')]
        assert f'_{schedule}_' in config
        assert (float(single), float(several)) == (row['mIoU'], row['mIoU(ms+flip)'])


@pytest.fixture(scope='module')
def reference(shared_dir):
    return json.loads((shared_dir / 'reference/configs_0.10.json').read_text())


def test_every_config_of_the_reference_is_here(reference):
    assert len(reference) == 375
    assert set(reference) <= set(NAMES)
    assert set(reference) == set(HASHES)


def test_fingerprints_are_those_of_the_reference(shared_dir):
    file = shared_dir / 'reference/keys/index_0.10.0.json'
    published = json.loads(file.read_text())['models']
    assert all(each.items() <= published[name].items() for name, each in HASHES.items())


@all_folders
def test_values_are_those_of_the_reference(folder, reference):
    for name in set(names_in(folder)) & set(reference):
        values = json.loads(json.dumps(config_of(name).to_dict()))
        assert values == in_our_place(reference[name]), name


def in_our_place(config):
    """The values of a config of the reference with each of the DEVIATIONS."""
    config = json.loads(json.dumps(config))
    assert config.pop('dist_params') == dict(backend='nccl')
    model = config['model'] | {key: config.pop(key) for key in ('train_cfg', 'test_cfg')}
    train = config['data']['train']
    for steps in (config['train_pipeline'], train.get('dataset', train)['pipeline']):
        pad, = [step for step in steps if step['type'] == 'Pad']
        assert pad.pop('seg_pad_val') == 255
    return config | dict(model=model, dist_params={})


def weights_key(value):
    """Text of the part of a model's config on which its weights depend."""
    if isinstance(value, dict):
        return str(sorted((key, weights_key(each)) for key, each in value.items()
                          if key not in WITHOUT_WEIGHTS))
    if isinstance(value, list | tuple):
        return str([weights_key(each) for each in value])
    return repr(value)


def digest(shapes):
    return hashlib.sha1(json.dumps(shapes).encode()).hexdigest()[:12]


def fingerprint(model):
    """Number of keys and parameters of a model's config, and digests of its state dict."""
    with torch.device('meta'):
        built = build_segmentor(model)
    shapes = {key: list(value.shape) for key, value in built.state_dict().items()}
    return dict(keys=len(shapes), params=sum(p.numel() for p in built.parameters()),
                ordered=digest(shapes), sorted=digest(sorted(shapes.items())))


@all_folders
def test_state_dict_is_that_of_the_reference(folder):
    built = {}
    for name in names_in(folder):
        key = weights_key(config_of(name).model)
        if key not in built:
            built[key] = fingerprint(config_of(name).model)
        assert built[key] == HASHES.get(name, built[key]), name


@all_folders
def test_settings_are_known(folder):
    checked = set()
    for name in names_in(folder):
        cfg = config_of(name)
        settings = repr([{key: value for key, value in cfg.items() if key != 'model'},
                         cfg.model.train_cfg, cfg.model.test_cfg])
        if settings not in checked:
            check_settings(cfg)
        checked.add(settings)


@all_folders
def test_pipelines_build(folder):
    built = {}
    for name in names_in(folder):
        for split in ('train', 'val', 'test'):
            data = config_of(name).data[split]
            steps = data.get('dataset', data).pipeline
            if repr(steps) not in built:
                built[repr(steps)] = Compose(steps)
    assert all(len(steps.transforms) > 1 for steps in built.values())
