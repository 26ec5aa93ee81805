"""A learnable factor."""
import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """Multiply any input by one learnable number."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale
