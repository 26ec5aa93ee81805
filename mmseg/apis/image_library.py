"""Which OpenCV made a run's samples: versions 4 and 5 rotate pixels otherwise."""
import re
from pathlib import Path
from typing import Any

import cv2

from mmcv_replace.runner.checkpoint import read_outline
from mmcv_replace.utils.errors import CheckpointError
from mmseg.utils import get_root_logger

# As `collect_env` writes it, here and in mmcv.
_IN_ENV_INFO = re.compile(r'^OpenCV: (\S+)', re.MULTILINE)


def opencv_of(meta: Any) -> str | None:
    """The version of OpenCV in the meta data of a checkpoint; None where it is not told."""
    env_info = meta.get('env_info') if isinstance(meta, dict) else None
    found = _IN_ENV_INFO.search(env_info) if isinstance(env_info, str) else None
    return found and found[1]


def warn_of_other_opencv(checkpoint: str | Path) -> None:
    """Say so where a run goes on with another OpenCV than the one that wrote its checkpoint."""
    try:
        before = opencv_of(read_outline(checkpoint).get('meta'))
    except CheckpointError:  # told when it is loaded, which may be from a URL
        return
    if before in (None, cv2.__version__):
        return
    get_root_logger().warning(
        '%s was written with OpenCV %s, this is %s: samples may differ from those of a run without '
        'a break (between 4 and 5, RandomRotate gives other pixels and some other labels); install '
        'opencv-python-headless==%s.* for the same ones', checkpoint, before, cv2.__version__,
        before)
