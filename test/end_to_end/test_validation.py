"""Validation in the course of a training: over its own images, for the classes of the training."""
import json

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets import PascalVOCDataset


def test_a_workflow_that_begins_with_validation_trains_on_the_training_images(
        tool, small_config, tmp_path):
    def losses(name, workflow):
        tool('train')([str(small_config), '--device', 'cpu', '--seed', '1', '--no-validate',
                       '--work-dir', str(tmp_path / name), '--cfg-options',
                       f'workflow={workflow!r}'])
        lines = map(json.loads, next((tmp_path / name).glob('*.json')).read_text().splitlines())
        return [line['loss'] for line in lines if line.get('mode') == 'train']

    expected = losses('plain', [('train', 1)])
    assert len(expected) == 4
    assert losses('mixed', [('val', 1), ('train', 2)]) == expected


@pytest.mark.parametrize('argv', [(), ('--no-validate',)])
def test_other_classes_than_those_of_the_training_are_refused(tool, small_config, tmp_path, argv):
    """Scores and losses would be those of other classes than their names say."""
    classes = [*PascalVOCDataset.CLASSES[::-1]]
    with pytest.raises(ConfigError, match="data.train has 'background', .* 'tvmonitor'"):
        tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(tmp_path), *argv,
                       '--cfg-options', f'data.val.classes={classes!r}',
                       "workflow=[('val', 1), ('train', 1)]"])
