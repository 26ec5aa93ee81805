"""Kernels that take float32, or whose positions would be too coarse in 16 bits."""
from collections.abc import Callable
from functools import wraps

from torch import Tensor


def in_float32(kernel: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute in float32 where the tensors have 16 bits, and give the result in their type."""
    @wraps(kernel)
    def run(first: Tensor, *args: object) -> Tensor:
        dtype = first.dtype
        if dtype.itemsize > 2:
            return kernel(first, *args)
        wide = [arg.float() if isinstance(arg, Tensor) and arg.is_floating_point() else arg
                for arg in (first, *args)]
        result = kernel(*wide)
        return result if result is NotImplemented else result.to(dtype)

    return run
