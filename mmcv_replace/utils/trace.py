"""Whether torch records a graph."""
import torch


def is_jit_tracing() -> bool:
    """Whether the code runs inside torch.jit.trace."""
    return torch.jit.is_tracing()
