"""Whether torch records a graph, and what a graph that is stored must not have."""
import re
import warnings
from typing import Any

import torch
from torch.autograd import Function


def is_jit_tracing() -> bool:
    """Whether the code runs inside torch.jit.trace."""
    return torch.jit.is_tracing()


def is_traced() -> bool:
    """Whether torch records a graph: of torch.jit.trace, torch.export or torch.compile."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def is_exported() -> bool:
    """Whether the graph that torch records will be stored, by torch.jit.trace or torch.export."""
    # torch 2.6 cannot tell an export from a compilation, which may take the same form.
    exporting = getattr(torch.compiler, 'is_exporting', torch.compiler.is_compiling)
    return exporting() or torch.jit.is_tracing()


def apply(function: type[Function], *args: Any) -> Any:
    """`function.apply(*args)`, or in a graph that is stored the operations of its forward pass.

    Such a graph cannot hold a Function: torch.jit.save and the ONNX exporter that traces refuse it,
    or lose what it writes in place. What autograd makes of the operations is the gradient there.
    """
    if is_exported():
        return function.forward(_Context(), *args)
    return function.apply(*args)


def trust_sizes(package: str) -> None:
    """Silence what torch.jit.trace says of the Python numbers that a package makes of sizes.

    A graph that it makes is for the sizes of its example, and no user can act on the places where.
    What depends on values must raise UsageError.
    """
    warnings.filterwarnings('ignore', category=torch.jit.TracerWarning,
                            module=rf'{re.escape(package)}\b')


class _Context:
    """Stands for the context of a Function without a backward pass."""

    def save_for_backward(self, *tensors: torch.Tensor | None) -> None:
        """Keep nothing."""
