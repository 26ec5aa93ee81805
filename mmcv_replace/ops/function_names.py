"""mmcv's second names of operators: `deform_conv2d` is `DeformConv2dFunction.apply`, too."""
from collections.abc import Callable

from torch import Tensor


def as_function(name: str, operator: Callable[..., Tensor]) -> type:
    """A class of this name with nothing but `apply`, which is the operator."""
    return type(name, (), {
        '__doc__': f'`apply` is `{operator.__name__}`.', '__module__': operator.__module__,
        'apply': staticmethod(operator)})
