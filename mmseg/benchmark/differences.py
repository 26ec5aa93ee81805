"""Differences between the results of subjects."""
from collections.abc import Mapping

import numpy as np


def compare(found: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The largest difference between arrays of the same name, by the name before its '/'.

    Of integers it is the share of unequal ones, of other numbers the difference relative to the
    largest of `own`. Arrays of different shapes differ by 1; those missing in `found` are left out.
    """
    differences: dict[str, float] = {}
    for name, ours in own.items():
        if name in found:
            kind = name.split('/')[0]
            differences[kind] = max(_difference(found[name], ours), differences.get(kind, 0.0))
    return differences


def _difference(theirs: np.ndarray, ours: np.ndarray) -> float:
    if theirs.shape != ours.shape:
        return 1.0
    if ours.dtype.kind in 'iub':
        return float((theirs != ours).mean())
    scale = float(np.abs(ours).max()) or 1.0
    return float(np.abs(theirs - ours).max()) / scale
