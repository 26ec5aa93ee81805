"""Label maps in MATLAB files, which scipy reads."""
from pathlib import Path

import numpy as np

from mmcv_replace.utils.errors import ConfigError, DataError


def need_scipy(owner: str) -> None:
    """Raise ConfigError where scipy, an optional dependency, cannot be imported."""
    try:
        import scipy.io  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{owner}'s annotations are MATLAB files, and scipy, which reads and "
                          f"writes them, does not load ({error}): pip install 'mmseg-ascend[sbd]'"
                          ) from error


def read_label_map(path: str | Path, field: str, owner: str) -> np.ndarray:
    """Label map [H, W] uint8 from a field of a file, such as S, or GTcls.Segmentation in a struct.

    Raises DataError where the file of the data set `owner` does not hold one.
    """
    from scipy.io import loadmat
    names = field.split('.')
    try:
        labels = loadmat(path)[names[0]]
        for name in names[1:]:
            labels = labels[name][0, 0]
        labels = np.asarray(labels)
    except Exception as error:
        # scipy raises a dozen kinds of errors for a damaged file.
        raise DataError(f'{path} cannot be read as an {owner} annotation ({field}): {error}; '
                        'unpack the archive again') from error
    if labels.ndim != 2 or labels.dtype.kind not in 'bui' or not labels.size or (
            labels.min() < 0 or labels.max() > 255):
        raise DataError(f'{path}: {field} is {labels.dtype} of the shape {labels.shape}, but a '
                        'label map is [H, W] of whole numbers from 0 to 255; unpack the archive '
                        'again')
    return labels.astype(np.uint8)
