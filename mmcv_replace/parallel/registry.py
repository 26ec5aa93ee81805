"""The registry of wrappers around a model."""
from torch.nn.parallel import DataParallel, DistributedDataParallel

from ..utils import Registry

# Without a base class: a wrapper may be any object that has the model as its `module`.
MODULE_WRAPPERS = Registry('module wrapper')
MODULE_WRAPPERS.register_module(module=DataParallel)
MODULE_WRAPPERS.register_module(module=DistributedDataParallel)
