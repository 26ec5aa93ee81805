"""Wrappers of a model for a kind of device, as later scripts of mmsegmentation 0.x build them."""
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from mmcv_replace.device import resolve_device
from mmcv_replace.parallel import MMDataParallel, MMDistributedDataParallel


def get_device() -> str:
    """The kind of device that this machine computes on: the first usable one."""
    return resolve_device().type


def build_dp(model: nn.Module, device: str = 'auto', dim: int = 0,
             device_ids: Sequence[int] | None = None, **kwargs: Any) -> MMDataParallel:
    """Put the model on the device, the first of `device_ids` if given, and into MMDataParallel."""
    return MMDataParallel(model, device_ids=_places(device, device_ids), dim=dim, **kwargs)


def build_ddp(model: nn.Module, device: str = 'auto', device_ids: Sequence[int] | None = None,
              *args: Any, **kwargs: Any) -> MMDistributedDataParallel:
    """As `build_dp`, into MMDistributedDataParallel, whose arguments the further ones are."""
    place = _places(device, device_ids)[0]
    return MMDistributedDataParallel(model.to(place), [place], *args, **kwargs)


def _places(device: str, numbers: Sequence[int] | None) -> list[torch.device]:
    first = resolve_device(device)
    return [torch.device(first.type, number) for number in numbers] if numbers else [first]
