import pytest
from torch import nn

from mmcv_replace.utils.parrots_wrapper import SyncBatchNorm, _BatchNorm, _InstanceNorm


@pytest.mark.parametrize(('layer', 'base', 'expected'), [
    (nn.BatchNorm2d(2), _BatchNorm, True), (nn.SyncBatchNorm(2), _BatchNorm, True),
    (nn.SyncBatchNorm(2), SyncBatchNorm, True), (nn.BatchNorm2d(2), SyncBatchNorm, False),
    (nn.InstanceNorm2d(2), _InstanceNorm, True), (nn.GroupNorm(1, 2), _BatchNorm, False),
])
def test_names_tell_the_layers_apart(layer, base, expected):
    assert isinstance(layer, base) is expected
