"""What the tests of both forms of Winograd's algorithm start from, and how they compare."""
import torch


def inputs(case, dtype=torch.float64):
    images, c, o, height, width, _ = case
    x, weight = torch.randn(images, c, height, width), torch.randn(o, c, 3, 3) / (3 * c**0.5)
    return [tensor.to(dtype).requires_grad_() for tensor in (x, weight, torch.randn(o))]


def error(found, expected):
    return ((found - expected).norm() / expected.norm()).item()
