"""Reads the label maps that `tools/test.py --out FILE.pkl` writes, and nothing else."""
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import DataError

# What NumPy's arrays in a pickle call, in the versions of NumPy.
BUILDERS = {(f'numpy.{core}.{module}', name) for core in ('core', '_core') for module, name in (
    ('multiarray', '_reconstruct'), ('multiarray', 'scalar'), ('numeric', '_frombuffer'))}
BUILDERS |= {('numpy', 'ndarray'), ('numpy', 'dtype'), ('_codecs', 'encode')}


class _Arrays(pickle.Unpickler):
    """Builds arrays and plain values alone: a pickle may name any function to be called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in BUILDERS:
            raise pickle.UnpicklingError(f'it holds {module}.{name}')
        return super().find_class(module, name)


def read_seg_maps(path: str | Path) -> list[np.ndarray]:
    """The label maps [H, W] of all samples; DataError for a file with anything else."""
    remedy = 'give the FILE.pkl of python tools/test.py CONFIG CHECKPOINT --out FILE.pkl'
    try:
        with open(path, 'rb') as file:
            found = _Arrays(file).load()
    except OSError as error:
        raise DataError(f'cannot read {path}: {error.strerror or error}; {remedy}') from error
    except Exception as error:  # a damaged pickle raises errors of any kind
        raise DataError(f'{path} holds no list of label maps ({error}); {remedy}') from error
    if not isinstance(found, list) or not all(
            isinstance(seg_map, np.ndarray) and seg_map.ndim == 2 for seg_map in found):
        raise DataError(f'{path} holds no list of label maps [H, W]; {remedy}')
    return found
