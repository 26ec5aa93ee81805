"""`Hook` and its registry, under the path that user code imports them from."""
from ..hook import HOOKS, Hook

__all__ = ['HOOKS', 'Hook']
