"""Whether subjects did the same work."""
from collections.abc import Mapping

import numpy as np


def compare(found: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The largest difference from our result, by the name of the result less its number (`img/0`).

    Of integers it is the share that is unequal, of other numbers the difference relative to our
    largest. A result of another shape counts as wholly different, one that a subject does not give
    is left out.
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
