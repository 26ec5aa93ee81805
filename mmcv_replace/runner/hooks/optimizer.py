"""The hooks that step the optimizer, under the path of mmcv."""
from .fp16_optimizer import Fp16OptimizerHook, GradientCumulativeFp16OptimizerHook
from .step import GradientCumulativeOptimizerHook, OptimizerHook

__all__ = ['Fp16OptimizerHook', 'GradientCumulativeFp16OptimizerHook',
           'GradientCumulativeOptimizerHook', 'OptimizerHook']
