"""How much memory a computation takes."""
import pytest
import torch


class LargestTensor(torch.utils._python_dispatch.TorchDispatchMode):
    """A block that notes the number of elements of the largest result of an operator, as `size`."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in torch.utils._pytree.tree_leaves(out):
            if isinstance(value, torch.Tensor):
                self.size = max(self.size, value.numel())
        return out


@pytest.fixture
def largest_tensor():
    return LargestTensor()
