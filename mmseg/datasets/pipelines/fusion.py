"""Replace steps of a pipeline by faster ones with the same result.

Only steps that declare it are replaced (see `Transform`); any other step, such as one of a user's
between them or derived from one of them, gets ordinary arrays.
"""
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..caching.cache import SampleCache
from .base import Step, Transform
from .device_normalize import replace_end

if TYPE_CHECKING:
    from ..caching.disk_cache import DiskCache


def fuse_steps(steps: Sequence[Step], fuse: bool = True, on_device: bool = False,
               cache: 'SampleCache | DiskCache | None' = None) -> list[Step]:
    """The steps of a pipeline, of which several may be done by one.

    `fuse` combines neighbours. `on_device` leaves normalisation to the device: batches must pass
    through `device_normalize.finish`. `cache` keeps what the first steps make of a file.
    """
    steps = list(steps)
    if cache is not None:
        steps = cache.replace(steps)
    if on_device:
        steps = replace_end(steps) or steps
    return _fuse_neighbours(steps) if fuse else steps


def _fuse_neighbours(steps: Sequence[Step]) -> list[Step]:
    fused, rest = [], list(steps)
    while rest:
        step = rest.pop(0)
        if isinstance(step, Transform) and step.fusible:
            step, number = step.fuse_with(rest) or (step, 0)
            del rest[:number]
        fused.append(step)
    return fused
