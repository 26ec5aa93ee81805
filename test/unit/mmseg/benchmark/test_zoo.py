"""The comparison of all families: what it prepares, and its table."""
import pytest
import torch

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.benchmark import zoo
from mmseg.benchmark.report import Row
from mmseg.benchmark.section import Section
from mmseg.models import build_segmentor

SMALL = ('--cfg-options', 'model.backbone.base_channels=8', 'model.decode_head.in_channels=256',
         'model.auxiliary_head.in_channels=128')


@pytest.fixture
def in_repository(repo_dir, monkeypatch):
    monkeypatch.chdir(repo_dir)


@pytest.mark.usefixtures('in_repository')
def test_a_section_for_each_family_and_kind_of_work(parse, tmp_path):
    sections = zoo.plan(parse('zoo', '--families', 'pspnet', 'fcn', '--batch', 1, '--device', 'cpu',
                              *SMALL), tmp_path)
    assert [(section.group, section.case, section.unit) for section in sections] == [
        ('pspnet', 'train', 'step'), ('pspnet', 'infer', 'batch'),
        ('fcn', 'train', 'step'), ('fcn', 'infer', 'batch')]
    assert sections[0].title.startswith('pspnet, training step: 1 x 512 x 512, pspnet_r50-d8')
    assert Config.fromfile(sections[2].options['config']).model.decode_head.type == 'FCNHead'
    assert len({section.options['weights'] for section in sections}) == 4
    other = tmp_path / 'other'
    other.mkdir()
    section, = zoo.plan(parse('zoo', '--families', 'fcn', '--work', 'infer', '--size', 32, 64,
                              *SMALL), other)
    assert section.title.startswith('fcn, inference: 2 x 32 x 64')


@pytest.mark.usefixtures('in_repository')
def test_a_model_that_later_versions_changed_is_measured_in_their_form(parse, tmp_path):
    section, = zoo.plan(parse('zoo', '--families', 'fastscnn', '--work', 'train', '--size', 32, 32),
                        tmp_path)
    assert Config.fromfile(section.own['config']).model.backbone.revised
    assert 'revised' not in Config.fromfile(section.options['config']).model.backbone
    weights = torch.load(section.options['weights'], weights_only=True)
    own = build_segmentor(Config.fromfile(section.own['config']).model)
    assert weights.keys() == own.state_dict().keys()


def test_a_family_that_does_not_exist(parse, tmp_path):
    with pytest.raises(ConfigError, match="--families: there is no 'pspnets'; did you mean"):
        zoo.plan(parse('zoo', '--families', 'pspnets'), tmp_path)


def test_every_family_of_the_reference_is_measured(shared_dir, repo_dir):
    names = {str(file.relative_to(repo_dir / 'configs').with_suffix(''))
             for file in (repo_dir / 'configs').glob('[!_]*/*.py')}
    families = {name.partition('/')[0] for name in names} - {'fp16'}  # of models of the others
    measured = {f'{family}/{name}' for family, name in zoo.FAMILIES.items()}
    assert families <= set(zoo.FAMILIES)
    assert {name for name in measured if name.partition('/')[0] in families} <= names


def section(group, case):
    return Section(title='', case=case, options={}, group=group)


def row(key, seconds, memory=None):
    return Row(key=key, name='the peer', seconds=[seconds], images=1, threads=1, torch='',
               allocated_mb=memory)


def test_summary():
    measured = [(section('a', 'train'), [row('own', 1.0, 50.0), row('peer1', 2.0, 100.0)]),
                (section('a', 'infer'), [row('own', 1.0), row('peer1', 3.0)]),
                (section('b', 'train'), [row('own', 1.0, 80.0), row('peer1', 8.0, 40.0)])]
    found = zoo.summary(measured)
    assert found == {
        'families': {'a': {'train': {'speed': 2.0, 'memory': 0.5}, 'infer': {'speed': 3.0}},
                     'b': {'train': {'speed': 8.0, 'memory': 2.0}}},
        'means': {'train': {'speed': pytest.approx(4.0), 'memory': pytest.approx(1.0)},
                  'infer': {'speed': pytest.approx(3.0)}}}
    lines = [[cell.strip() for cell in line.strip('|').split('|')]
             for line in zoo.format_summary(found, 'the peer').splitlines() if '|' in line]
    assert lines[1:] == [['a', '2.00', '0.50', '3.00', ''], ['b', '8.00', '2.00', '', ''],
                         ['geometric mean', '4.00', '1.00', '3.00', '']]


def test_summary_without_a_peer():
    found = zoo.summary([(section('a', 'train'), [row('own', 1.0)])])
    assert found == {'families': {}, 'means': {}}
