"""One of two processes of test_host_sync_bn.py: python sync_bn_process.py RANK STORE OUT."""
import sys

import torch
import torch.distributed as dist
from torch import nn

from mmcv_replace.ops import use_host_sync_batchnorm
from mmcv_replace.utils.errors import ArgumentError

PARTS = ((0, 3), (3, 8))  # unequal shares of the batch


def one_value_each(rank):
    """With one value a channel in each process, and with one in both together: the message."""
    norm = use_host_sync_batchnorm(nn.SyncBatchNorm(2)).double()
    x = torch.tensor([[1.0, 2], [3, 6]], dtype=torch.float64)[rank:rank + 1].requires_grad_()
    y = norm(x)
    (y * torch.tensor([1.0, 2])).square().sum().backward()
    try:
        norm(x[:1 - rank])
    except ArgumentError as error:
        refused = str(error)
    return dict(y=y.detach(), x_grad=x.grad, refused=refused, state=norm.state_dict())


def main():
    rank, store, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    dist.init_process_group('gloo', init_method=f'file://{store}', rank=rank, world_size=2)
    results = []
    for options in ({}, dict(momentum=None), dict(affine=False), dict(track_running_stats=False)):
        torch.manual_seed(0)
        norm = use_host_sync_batchnorm(nn.Sequential(nn.SyncBatchNorm(4, **options))).double()
        whole = torch.randn(8, 4, 5, 3, dtype=torch.float64) + 3
        grad = torch.randn(8, 4, 5, 3, dtype=torch.float64)
        share = slice(*PARTS[rank])
        x = whole[share].requires_grad_()
        for _ in range(2):
            y = norm(x)
        y.backward(grad[share])
        results.append(dict(y=y.detach(), x_grad=x.grad, state=norm.state_dict(),
                            grads={k: p.grad for k, p in norm.named_parameters()}))
    results.append(one_value_each(rank))
    dist.destroy_process_group()
    torch.save(results, out)


main()
