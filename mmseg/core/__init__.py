"""What training and testing share: pixel samplers, evaluation, small helpers."""
from mmcv_replace.utils.lazy_names import lazy_names

from . import evaluation, hook, seg, utils

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.builder': ['OPTIMIZER_BUILDERS', 'build_optimizer', 'build_optimizer_constructor'],
    **{package.__name__: package.__all__ for package in (evaluation, hook, seg, utils)},
})
