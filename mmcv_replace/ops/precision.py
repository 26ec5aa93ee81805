"""Types of numbers to compute with."""
import torch


def wide_type(dtype: torch.dtype) -> torch.dtype:
    """The type for positions, and for sums over numbers of `dtype`: float32, or float64."""
    return dtype if dtype == torch.float64 else torch.float32
