"""Which steps of a pipeline do the same with less work when they know of their neighbours.

Only steps of exactly these classes are replaced; one of the user's, derived from them or standing
between them, gets ordinary arrays.
"""
from collections.abc import Sequence

from .base import Step
from .cache import CachedSteps, SampleMemory
from .chw_normalize import PlanarNormalize
from .crop import RandomCrop
from .device_normalize import HandOver
from .formating import Collect, DefaultFormatBundle, ImageToTensor
from .geometric import Pad
from .photometric import Normalize
from .resize import Resize
from .resized_crop import ResizedCrop

TAILS = ([Normalize, Pad, DefaultFormatBundle, Collect], [Normalize, DefaultFormatBundle, Collect])


def plan_steps(
    steps: Sequence[Step],
    fuse: bool = True,
    hand_over: bool = False,
    memory: SampleMemory | None = None,
) -> list[Step]:
    """Replace what stands in the way of speed; samples are those of the steps in turn.

    `hand_over` leaves the last steps to the device: samples are then finished by
    `handover.finish`. `memory` keeps what the first steps make of a file.
    """
    rest, first, last = list(steps), [], []
    if memory is not None:
        number = memory.count_steps(rest)
        reads_only = type(rest[number]) is Resize if number < len(rest) else False
        first = [CachedSteps(rest[:number], memory, copy=not reads_only)]
        rest = rest[number:]
    if hand_over and ends_in_bytes(rest):
        start = [type(step) for step in rest].index(Normalize)
        last = [_hand_over(rest[start:])]
        rest = rest[:start]
    return [*first, *(_fuse(rest) if fuse else rest), *last]


def ends_in_bytes(steps: Sequence[Step]) -> bool:
    """Whether the last steps of a pipeline can be left to the device."""
    kinds = [type(step) for step in steps]
    return (any(kinds[-len(tail):] == tail for tail in TAILS) and kinds.count(Normalize) == 1
            and 'img' in steps[-1].keys)


def _hand_over(steps: Sequence[Step]) -> HandOver:
    normalize, *pad, bundle, collect = steps
    return HandOver(normalize, *(pad or [None]), bundle, collect)


def _fuse(steps: Sequence[Step]) -> list[Step]:
    planned: list[Step] = []
    rest = list(steps)
    while rest:
        kinds = [type(step) for step in rest[:3]]
        if kinds[:2] == [Resize, RandomCrop]:
            planned.append(ResizedCrop(*rest[:2]))
            rest = rest[2:]
        elif kinds == [Normalize, Pad, DefaultFormatBundle]:
            planned.append(PlanarNormalize(*rest[:2]))
            rest = rest[2:]
        elif kinds[0] is Normalize and kinds[1:2] in ([DefaultFormatBundle], [ImageToTensor]):
            planned.append(PlanarNormalize(rest.pop(0)))
        else:
            planned.append(rest.pop(0))
    return planned
