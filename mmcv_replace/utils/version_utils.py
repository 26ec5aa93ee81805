"""Versions as tuples that can be compared."""
import re

import torch

from .errors import ConfigError

TORCH_VERSION: str = torch.__version__

_PATTERN = re.compile(r'v?(\d+(?:\.\d+)*)(?:[._-]?(dev|alpha|a|beta|b|rc|post)[._-]?(\d*))?.*')
_STAGES = {'dev': -4, 'alpha': -3, 'a': -3, 'beta': -2, 'b': -2, 'rc': -1, None: 0, 'post': 1}


def digit_version(version_str: str, length: int = 4) -> tuple[int, ...]:
    """Version as `length` numbers, a stage and its number: '1.3.0rc1' is (1, 3, 0, 0, -1, 1).

    Tuples compare like the versions; a local part such as '+cpu' is ignored. Raises ConfigError for
    a text that is no version.
    """
    match = _PATTERN.fullmatch(version_str.partition('+')[0].strip().lower())
    if match is None:
        raise ConfigError(f'{version_str!r} is not a version such as 1.2.3 or 1.3.0rc1')
    release, stage, number = match.groups()
    digits = [int(part) for part in release.split('.')][:length]
    return (*digits, *[0] * (length - len(digits)), _STAGES[stage], int(number or 0))
