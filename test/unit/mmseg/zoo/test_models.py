"""Published models: found by name, listed, fetched, used where a config is."""
import hashlib
import json

import pytest
import torch

from mmcv_replace.utils.errors import CheckpointError, ConfigError
from mmseg.apis import init_segmentor, load_config
from mmseg.apis.model import build_model
from mmseg.zoo import find_model, models, published_models, published_weights
from mmseg.zoo.listing import format_models
from mmseg.zoo.models import PublishedModel, matching

PSPNET = 'pspnet/pspnet_r50-d8_512x512_20k_voc12aug'
SMALL = 'pspnet/pspnet_r18-d16_128x128_quickstart'


def test_every_config_is_a_model(repo_dir):
    files = {file.relative_to(repo_dir / 'configs').with_suffix('').as_posix()
             for file in (repo_dir / 'configs').glob('[!_]*/*.py')}
    assert set(published_models()) == files
    assert len({name.rpartition('/')[2] for name in files}) == len(files)
    assert all(model.config.is_file() for model in published_models().values())


def test_published_figures(shared_dir):
    published = json.loads((shared_dir / 'reference/results.json').read_text())
    for name, model in published_models().items():
        row = published.get(model.published_as or name, {})
        assert (model.dataset, model.schedule, model.miou, model.miou_multi_scale, model.memory,
                model.weights, model.dice) == tuple(row.get(key) for key in (
                    'dataset', 'lr schd', 'mIoU', 'mIoU(ms+flip)', 'train_mem_gb', 'weights',
                    'Dice'))
    assert sum(model.published_as is not None for model in published_models().values()) == 8
    assert published_models()[PSPNET].miou == 76.78


def test_names(tmp_path, monkeypatch):
    assert find_model(PSPNET) is find_model(PSPNET.partition('/')[2]) is published_models()[PSPNET]
    for path in (f'configs/{PSPNET}.py', 'my.json', 'a/b/c', '/absolute'):
        assert find_model(path) is None
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'config').touch()  # a file without suffix is a path
    assert find_model('config') is None
    with pytest.raises(ConfigError, match="'pspnet_r50-d8_512x512_20k_voc' is neither a config "
                       "file nor the name of a model; did you mean 'pspnet_r50-d8_512x512_20k_"):
        find_model('pspnet_r50-d8_512x512_20k_voc')


@pytest.mark.parametrize('name', ['unet/fcn_unet_s5-d16_64x64_40k_drive',
                                  'fcn_unet_s5-d16_64x64_40k_drive'])
def test_the_name_of_the_weights_finds_the_model_too(name):
    model = find_model(name)
    assert model.name == 'unet/unet_s5-d16_64x64_40k_drive'
    assert model.config.is_file()
    assert load_config(name).filename == str(model.config)
    assert matching(published_models().values(), [name]) == [model]
    with pytest.raises(ConfigError, match=f'did you mean .*{name}'):
        find_model(f'{name}e')


def test_a_name_where_a_config_is():
    assert load_config(PSPNET).filename == load_config(f'configs/{PSPNET}.py').filename
    assert load_config(PSPNET, {'seed': 7}).seed == 7


def test_filters():
    found = [model.name for model in matching(published_models().values(), ['PSPNet', 'Context'])]
    assert found
    assert all('pspnet' in name and 'context' in name for name in found)
    assert len(matching(published_models().values(), [])) == len(published_models())


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A small model with published weights, in a folder that is the mirror."""
    file = tmp_path / 'mirror/v0.5/toy.pth'
    file.parent.mkdir(parents=True)
    torch.manual_seed(3)
    network = build_model(load_config(f'configs/{SMALL}.py'))
    torch.save(dict(state_dict=network.state_dict(), meta=dict(CLASSES=('a', 'b'))), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    file.rename(file.with_name(f'toy-{digest}.pth'))
    monkeypatch.setenv('MMSEG_MIRROR', str(tmp_path / 'mirror'))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    model = PublishedModel(SMALL, 'toys', 20000, 50.123, None, 1.5,
                           f'https://download.example.org/v0.5/toy-{digest}.pth')
    known = {SMALL: model, PSPNET: PublishedModel(PSPNET)}
    monkeypatch.setattr(models, 'published_models', lambda: known)
    return model, network


def test_weights_are_fetched_once_and_checked(toy, tmp_path):
    model, _ = toy
    assert not model.file.is_file()
    assert model.fetch() == model.file
    assert model.file.is_file()
    assert model.fetch(tmp_path / 'here') == tmp_path / 'here' / model.file.name
    model.file.write_bytes(b'another file')
    with pytest.raises(CheckpointError, match='is not what it should be'):
        model.fetch()


def test_a_segmentor_by_name_has_the_published_weights(toy):
    model, network = toy
    made = init_segmentor(SMALL.partition('/')[2], device='cpu')
    key = 'decode_head.conv_seg.weight'
    assert torch.equal(made.state_dict()[key], network.state_dict()[key])
    assert made.CLASSES == ('a', 'b')
    other = init_segmentor(f'configs/{SMALL}.py', device='cpu')  # a file: no weights
    assert not torch.equal(other.state_dict()[key], network.state_dict()[key])


def test_weights_for_a_command(toy):
    model, _ = toy
    assert published_weights(SMALL) == model.weights
    with pytest.raises(ConfigError, match='give the checkpoint after the config configs/a.py; '
                       'only of a published model'):
        published_weights('configs/a.py')
    with pytest.raises(CheckpointError, match=f'no weights of {PSPNET} were published: train it'):
        published_weights(PSPNET)


def rows(text):
    return [[cell.strip() for cell in line.strip('|').split('|')]
            for line in text.splitlines() if line.startswith('|')][1:]


def test_the_table(toy):
    model, _ = toy
    both = [model, PublishedModel(PSPNET)]
    text = format_models(both)
    assert rows(text) == [[SMALL, 'toys', '20000', '50.12', '', '1.5', 'published'],
                          [PSPNET, '', '', '', '', '', 'none']]
    assert '2 models; 1 with weights' in text
    assert 'Apache License 2.0' in text
    model.fetch()
    assert rows(format_models(both))[0][-1] == 'downloaded'


def test_the_table_tells_another_name_and_another_score():
    text = format_models(matching(published_models().values(), ['drive']))
    assert rows(text) == [['unet/unet_s5-d16_64x64_40k_drive', 'DRIVE', '40000', 'Dice 78.67', '',
                           '0.68', 'published']]
    assert ('unet/unet_s5-d16_64x64_40k_drive: scores and weights were published as '
            'unet/fcn_unet_s5-d16_64x64_40k_drive') in text
