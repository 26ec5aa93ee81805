"""`Hook` and its registry, under the path of mmcv that user code imports."""
from ..hook import HOOKS, Hook

__all__ = ['HOOKS', 'Hook']
