"""Names of components in configs, and what is built by them."""
from .build import build_from_cfg
from .registry import Registry

__all__ = ['Registry', 'build_from_cfg']
