"""Which points PointHead classifies: how many, by its settings, and how uncertain logits are."""
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.trace import is_traced


@dataclass(frozen=True)
class _Number:
    default: float
    low: float
    high: float = math.inf
    whole: bool = False

    def __str__(self) -> str:
        end = 'on' if self.high == math.inf else f'to {self.high}'
        return f'a {"whole " * self.whole}number from {self.low} {end}'

    def accepts(self, value: object) -> bool:
        return (isinstance(value, int if self.whole else int | float)
                and not isinstance(value, bool) and self.low <= value <= self.high)


# Section of the model -> its numbers for points.
POINT_SETTINGS = {
    'train_cfg': dict(num_points=_Number(2048, 1, whole=True), oversample_ratio=_Number(3, 1),
                      importance_sample_ratio=_Number(0.75, 0, 1)),
    'test_cfg': dict(subdivision_steps=_Number(2, 0, whole=True),
                     subdivision_num_points=_Number(8196, 1, whole=True),
                     scale_factor=_Number(2, 1)),
}


def point_settings(head: nn.Module, section: str, cfg: dict | None) -> dict[str, float]:
    """The numbers in the model's `section` that say how many points `head` takes.

    Those that it lacks are the published models'. Raises ConfigError for impossible ones.
    """
    values = {}
    for name, number in POINT_SETTINGS[section].items():
        value = values[name] = (cfg or {}).get(name, number.default)
        if not number.accepts(value):
            raise ConfigError(f'{type(head).__name__}: {section}.{name}={value!r} must be {number}')
    return values


def calculate_uncertainty(seg_logits: Tensor) -> Tensor:
    """Second largest minus largest logit: [N, C, ...] -> [N, 1, ...].

    A single logit is compared with 0, that of its other class. The result has no gradient.
    """
    seg_logits = seg_logits.detach()
    if seg_logits.shape[1] == 1:
        return -seg_logits.abs()
    if is_traced():
        best, second = seg_logits.topk(2, dim=1)[0].split(1, dim=1)
        return second - best
    # On a host, topk across the maps of classes takes ten times as long.
    first, other, *maps = seg_logits.split(1, dim=1)
    best, second = torch.maximum(first, other), torch.minimum(first, other)
    for each in maps:
        torch.maximum(second, torch.minimum(best, each), out=second)
        torch.maximum(best, each, out=best)
    return second - best
