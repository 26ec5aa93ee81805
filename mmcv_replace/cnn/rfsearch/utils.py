"""Arithmetic of the search for dilations."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcv_replace.fileio import dump

Rate = tuple[int, ...]  # dilation along each dimension


def write_to_json(config: dict[str, Any], filename: str | Path) -> None:
    """Write the settings and the found dilations."""
    dump(config, filename, file_format='json')


def expand_rates(dilation: Sequence[int], config: Mapping[str, Any]) -> list[Rate]:
    """The dilations to try around one, in ascending order.

    They are smaller and larger by the factor `exp_rate`, where `num_branches` is odd also the same,
    and limited to `mmin` and `mmax`. One branch keeps the dilation.
    """
    branches = config['num_branches']
    steps = ([-1] if branches > 1 else []) + ([0] if branches % 2 else []) + (
        [1] if branches > 1 else [])
    rates = {tuple(_limit(round(rate * (1 + step * config['exp_rate'])), config)
                   for rate in dilation) for step in steps}
    return sorted(rates)


def _limit(rate: int, config: Mapping[str, Any]) -> int:
    return max(config['mmin'], min(config['mmax'], rate))


def get_single_padding(kernel_size: int, stride: int = 1, dilation: int = 1) -> int:
    """Padding by which a convolution keeps the size but for its stride."""
    return (stride - 1 + dilation * (kernel_size - 1)) // 2
