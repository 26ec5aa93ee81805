"""The registry of wrappers around a model."""
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from ..utils import Registry

MODULE_WRAPPERS = Registry('module wrapper', base=nn.Module)
MODULE_WRAPPERS.register_module(module=DataParallel)
MODULE_WRAPPERS.register_module(module=DistributedDataParallel)


def is_module_wrapper(module: nn.Module) -> bool:
    """Whether `module` wraps the model `module.module`: its class is one of MODULE_WRAPPERS."""
    return isinstance(module, tuple(MODULE_WRAPPERS.module_dict.values()))
