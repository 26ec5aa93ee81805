"""Faster implementations of operators, which a kind of device may have.

The rows of mmcv_replace/device.py say which. An operator is written in plain torch first; where a
device has something faster, it is one function in a module of this package, with the arguments of
the plain form. It returns NotImplemented for what it cannot do, such as a type of numbers.
"""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

from torch import Tensor

from mmcv_replace.device import kind_of
from mmcv_replace.utils.logging import warn_once
from mmcv_replace.utils.trace import is_traced

_enabled = True


def run(name: str, plain: Callable[..., Tensor], first: Tensor, *args: object) -> Tensor:
    """Result of operator `name` on the device of `first`: of the device's kernel or of `plain`.

    Graphs that are traced, for an export or by torch.compile, always get the plain form, which
    every runtime and compiler understands.
    """
    if _enabled and not is_traced():
        for kernel in _kernels(name, first.device.type):
            result = kernel(first, *args)
            if result is not NotImplemented:
                return result
    return plain(first, *args)


@contextmanager
def plain_operators() -> Iterator[None]:
    """Context in which all operators take their plain form, to compare with or to look for a fault.
    """
    global _enabled
    former, _enabled = _enabled, False
    try:
        yield
    finally:
        _enabled = former


@cache
def _kernels(name: str, device: str) -> tuple[Callable[..., Tensor], ...]:
    found = (_load(place) for place in kind_of(device).kernels.get(name, ()))
    return tuple(kernel for kernel in found if kernel is not None)


def _load(place: str) -> Callable[..., Tensor] | None:
    """The function of 'module:function'; None where the package that it needs is not installed.

    One that is installed but does not load (torchvision does so beside another build of torch)
    causes a warning as well.
    """
    module, _, function = place.partition(':')
    try:
        return getattr(import_module(module), function)
    except ModuleNotFoundError:
        return None
    except (ImportError, OSError, RuntimeError) as error:
        warn_once(f'{module} does not load ({error}): its operators run in their plain form, '
                  'which is slower')
        return None
