"""Whether torch records a graph."""
import torch


def is_jit_tracing() -> bool:
    """Whether the code runs inside torch.jit.trace."""
    return torch.jit.is_tracing()


def is_traced() -> bool:
    """Whether torch records a graph: of torch.jit.trace, torch.export or torch.compile."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()
