"""Versions as tuples that can be compared."""
import re
import subprocess
from pathlib import Path

import torch

from .errors import ArgumentError, ConfigError

TORCH_VERSION: str = torch.__version__

_STAGE = r'[._-]?({}dev|alpha|a|beta|b|rc|post)[._-]?({}\d*)'
_PATTERN = re.compile(rf'v?(\d+(?:\.\d+)*)(?:{_STAGE.format("", "")})?'
                      rf'(?:{_STAGE.format("?:", "?:")})*')
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


def get_git_hash(fallback: str = 'unknown', digits: int | None = None) -> str:
    """The commit of this checkout, `fallback` if the package is installed.

    `digits`: how many of its 40 digits. Raises ArgumentError for what is no int.
    """
    if not isinstance(digits, int | None):
        raise ArgumentError(f'digits is an int or None, not {digits!r}')
    try:
        # An installed copy may be inside a repository of the user, which does not track it.
        _minimal_ext_cmd(['git', 'ls-files', '--error-unmatch', Path(__file__).name])
        return _minimal_ext_cmd(['git', 'rev-parse', 'HEAD']).decode('ascii').strip()[:digits]
    except (OSError, subprocess.CalledProcessError):
        return fallback


def _minimal_ext_cmd(cmd: list[str]) -> bytes:
    """What a command writes to stdout."""
    return subprocess.run(cmd, cwd=Path(__file__).resolve().parent, check=True,
                          capture_output=True).stdout
