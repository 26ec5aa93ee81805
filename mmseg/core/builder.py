"""The builders of optimizers, under the module name that later versions of 0.x give them."""
from mmcv_replace.runner import OPTIMIZER_BUILDERS, build_optimizer, build_optimizer_constructor

__all__ = ['OPTIMIZER_BUILDERS', 'build_optimizer', 'build_optimizer_constructor']
