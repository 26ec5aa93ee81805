"""What a loss was computed from."""
import torch


def reached_leaves(loss: torch.Tensor) -> set[int]:
    """Ids of the tensors, parameters above all, to which the backward pass of a loss leads."""
    leaves: set[int] = set()
    seen = {loss.grad_fn}
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if hasattr(node, 'variable'):  # where a gradient is accumulated
            leaves.add(id(node.variable))
        new = {following for following, _ in node.next_functions} - seen
        seen |= new
        waiting += new
    return leaves
