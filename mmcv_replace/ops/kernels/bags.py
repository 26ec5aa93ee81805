"""Weighted sums of rows by torch's embedding bags, several times as fast on the host."""
import torch.nn.functional as F
from torch import Tensor


def weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """See mmcv_replace/ops/weighted_rows.py."""
    if 0 in index.shape or 0 in table.shape:
        return NotImplemented
    return F.embedding_bag(index, table, mode='sum', per_sample_weights=weight)
