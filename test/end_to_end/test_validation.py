"""Validation in the course of a training: over its own images, for the classes of the training."""
import json

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import load_config
from mmseg.apis.datasets import build_validation
from mmseg.core.utils import leaf_datasets
from mmseg.datasets import MultiImageMixDataset, PascalVOCDataset


def test_a_workflow_that_begins_with_validation_trains_on_the_training_images(
        tool, small_config, tmp_path):
    def losses(name, workflow):
        tool('train')([str(small_config), '--device', 'cpu', '--seed', '1', '--no-validate',
                       '--work-dir', str(tmp_path / name), '--cfg-options',
                       f'workflow={workflow!r}'])
        log, = (tmp_path / name).glob('*.log.json')
        lines = map(json.loads, log.read_text().splitlines())
        return [line['loss'] for line in lines if line.get('mode') == 'train']

    expected = losses('plain', [('train', 1)])
    assert len(expected) == 4
    assert losses('mixed', [('val', 1), ('train', 2)]) == expected


WRAPPED = """
_base_ = '{base}'
plain = {{{{ _base_.data.train }}}}
steps = {{{{ _base_.data.train.pipeline }}}}
mixed = dict(type='MultiImageMixDataset', dataset=dict(plain, pipeline=steps[:2]), pipeline=[
    dict(type='RandomMosaic', prob=1.0, img_scale=(64, 64)), *steps[2:]])
repeated = dict(type='RepeatDataset', times=2, dataset=plain)
data = dict(train={train})
"""


@pytest.mark.parametrize('train', [
    'dict(_delete_=True, **mixed)', 'dict(_delete_=True, **repeated)', '[plain, plain]',
    "dict(_delete_=True, type='RepeatDataset', times=2, dataset=mixed)"])
def test_validation_goes_through_the_pipeline_of_data_sets_of_others(
        tool, small_config, tmp_path, train):
    config = tmp_path / 'wrapped.py'
    config.write_text(WRAPPED.format(base=small_config, train=train))
    tool('train')([str(config), '--device', 'cpu', '--seed', '1', '--no-validate', '--work-dir',
                   str(tmp_path / 'run'), '--cfg-options', "workflow=[('train', 1), ('val', 1)]",
                   'runner.max_iters=2', 'log_config.interval=1'])
    log, = (tmp_path / 'run').glob('*.log.json')
    lines = map(json.loads, log.read_text().splitlines())
    assert 'val' in [line.get('mode') for line in lines]

    cfg = load_config(config)
    dataset = build_validation(cfg)
    leaf, = leaf_datasets(dataset)
    assert leaf.split.endswith(cfg.data.val.split)
    assert isinstance(dataset, MultiImageMixDataset) == ('mixed' in train)


@pytest.mark.parametrize(('options', 'told'), [
    ('data.val=None', "the config no data.val: add it, or leave .*'val', 1"),
    ('data.train.pipeline=[]', "pipeline of data.train, and that has none: leave .*'val', 1")])
def test_a_workflow_with_validation_that_cannot_be(tool, small_config, tmp_path, options, told):
    with pytest.raises(ConfigError, match=told):
        tool('train')([str(small_config), '--device', 'cpu', '--no-validate', '--work-dir',
                       str(tmp_path), '--cfg-options', "workflow=[('val', 1), ('train', 1)]",
                       options])


@pytest.mark.parametrize('argv', [(), ('--no-validate',)])
def test_other_classes_than_those_of_the_training_are_refused(tool, small_config, tmp_path, argv):
    """Scores and losses would be those of other classes than their names say."""
    classes = [*PascalVOCDataset.CLASSES[::-1]]
    with pytest.raises(ConfigError, match="data.train has 'background', .* 'tvmonitor'"):
        tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(tmp_path), *argv,
                       '--cfg-options', f'data.val.classes={classes!r}',
                       "workflow=[('val', 1), ('train', 1)]"])
