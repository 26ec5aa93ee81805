"""Models from configs."""
import pytest
from torch import nn

from mmcv_replace.cnn import MODELS, build_model_from_cfg
from mmcv_replace.utils import Registry
from mmcv_replace.utils.errors import ConfigError

NETS = Registry('net', base=nn.Module)


@NETS.register_module()
class Net(nn.Module):
    def __init__(self, depth, stages=4):
        super().__init__()
        self.depth, self.stages = depth, stages


def test_one():
    net = build_model_from_cfg(dict(type='Net', depth=5), NETS, dict(stages=3))
    assert isinstance(net, Net)
    assert (net.depth, net.stages) == (5, 3)


@pytest.mark.parametrize('kind', [list, tuple])
def test_several(kind):
    nets = build_model_from_cfg(kind([dict(type='Net', depth=5), dict(type='Net', depth=6)]), NETS)
    assert isinstance(nets, nn.Sequential)
    assert [net.depth for net in nets] == [5, 6]


def test_other_configs_are_refused():
    with pytest.raises(ConfigError, match='not by 5'):
        build_model_from_cfg(5, NETS)


def test_the_registry_of_models_builds_in_this_way():
    assert MODELS.name == 'model'
    assert MODELS.build_func is build_model_from_cfg
