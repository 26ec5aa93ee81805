import pytest
from torch import nn
from torch.utils import data

from mmcv_replace import utils


@pytest.mark.parametrize(('name', 'layer', 'other'), [
    ('_BatchNorm', nn.BatchNorm2d(2), nn.InstanceNorm2d(2)),
    ('_BatchNorm', nn.SyncBatchNorm(2), nn.GroupNorm(1, 2)),
    ('SyncBatchNorm', nn.SyncBatchNorm(2), nn.BatchNorm2d(2)),
    ('_InstanceNorm', nn.InstanceNorm1d(2), nn.BatchNorm1d(2)),
    ('_ConvNd', nn.Conv3d(1, 1, 1), nn.Linear(1, 1)),
    ('_ConvTransposeMixin', nn.ConvTranspose2d(1, 1, 1), nn.Conv2d(1, 1, 1)),
    ('_AvgPoolNd', nn.AvgPool2d(2), nn.MaxPool2d(2)),
    ('_MaxPoolNd', nn.MaxPool2d(2), nn.AvgPool2d(2)),
    ('_AdaptiveAvgPoolNd', nn.AdaptiveAvgPool2d(2), nn.AdaptiveMaxPool2d(2)),
    ('_AdaptiveMaxPoolNd', nn.AdaptiveMaxPool2d(2), nn.AdaptiveAvgPool2d(2)),
])
def test_classes_of_torch(name, layer, other):
    assert isinstance(layer, getattr(utils, name))
    assert not isinstance(other, getattr(utils, name))


def test_loaders():
    assert utils.DataLoader is utils.PoolDataLoader is data.DataLoader
