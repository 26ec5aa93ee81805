"""Predictions for two classes from a single logit, that of class 1."""
from torch import Tensor

# Default probability above which a pixel is class 1, as in mmsegmentation 0.30.
THRESHOLD = 0.3


def class_probabilities(logits: Tensor) -> Tensor:
    """Logits [N, C, ...] -> probabilities: softmax over the classes, sigmoid of a single logit."""
    if logits.size(1) > 1:
        return logits.softmax(dim=1)
    return (logits.float() if logits.dtype.itemsize < 4 else logits).sigmoid()


def is_positive(probability: Tensor, threshold: float | None = None) -> Tensor:
    """Where the probability of class 1 exceeds `threshold` (0.3): [N, 1, ...] -> [N, ...]."""
    return (probability > (THRESHOLD if threshold is None else threshold)).squeeze(1)
