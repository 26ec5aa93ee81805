"""Operators of torch that have changed over its versions."""
import torch


def torch_meshgrid(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """torch.meshgrid whose first axis is that of the first tensor."""
    return torch.meshgrid(*tensors, indexing='ij')
