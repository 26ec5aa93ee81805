"""Which modules count as wrappers of a model."""
import pytest
from torch import nn

from mmcv_replace.parallel import MODULE_WRAPPERS, MMDataParallel, is_module_wrapper
from mmcv_replace.parallel.distributed_deprecated import MMDistributedDataParallel
from mmcv_replace.utils import Registry


class Plain:
    """A wrapper that is no module."""

    def __init__(self, module):
        self.module = module


@pytest.mark.parametrize('wrap', [MMDataParallel, nn.DataParallel, MMDistributedDataParallel])
def test_the_usual_wrappers(wrap):
    assert is_module_wrapper(wrap(nn.ReLU()))
    assert not is_module_wrapper(nn.ReLU())


def test_a_wrapper_may_be_any_object(monkeypatch):
    monkeypatch.setattr(MODULE_WRAPPERS, '_module_dict', dict(MODULE_WRAPPERS.module_dict))
    assert not is_module_wrapper(Plain(nn.ReLU()))
    MODULE_WRAPPERS.register_module(module=Plain)
    assert is_module_wrapper(Plain(nn.ReLU()))


def test_wrappers_of_child_registries_count(monkeypatch):
    child = Registry('module wrapper')
    child.register_module(module=Plain)
    monkeypatch.setitem(MODULE_WRAPPERS.children, 'other', child)
    assert is_module_wrapper(Plain(nn.ReLU()))
