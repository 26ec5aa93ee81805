"""The version of mmcv whose interface this is.

User code compares it to choose between ways of working, such as that of transformers before and
after 1.3.17.
"""
from .utils.version_utils import digit_version

__version__ = '1.7.2'

_STAGES = {-3: 'a', -2: 'b', -1: 'rc'}


def parse_version_info(version_str: str, length: int = 4) -> tuple[int | str, ...]:
    """Version as `length` numbers, a stage and its number: '1.3.0rc1' is (1, 3, 0, 0, 'rc', 1).

    The stage is 0 where the version is none of alpha, beta and candidate. Raises ConfigError for a
    text that is no version.
    """
    *release, stage, number = digit_version(version_str, length)
    return (*release, _STAGES.get(stage, 0), number if stage in _STAGES else 0)


version_info = digit_version(__version__)[:3]
