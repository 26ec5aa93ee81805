"""Which modules wrap a model."""
from torch import nn

from ..utils import Registry
from .registry import MODULE_WRAPPERS


def is_module_wrapper(module: nn.Module) -> bool:
    """Whether `module` wraps the model `module.module`: MODULE_WRAPPERS has its class."""
    return _has_class_of(MODULE_WRAPPERS, module)


def _has_class_of(registry: Registry, module: nn.Module) -> bool:
    """Whether `module` is an instance of a class in the registry or in one of its children."""
    return isinstance(module, tuple(registry.module_dict.values())) or any(
        _has_class_of(child, module) for child in registry.children.values())
