"""One of two processes of test_failures.py: python lost_peer.py RANK STORE CASE."""
import datetime
import os
import sys
import time

import torch
import torch.distributed as dist
from torch import nn

from mmcv_replace.utils.errors import LostPeerError
from mmseg.apis.dist_errors import naming_lost_peers

RANK, STORE, CASE = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Grumbling(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError('the peer has timed out')


def act(model):
    if CASE == 'reduce':
        dist.all_reduce(torch.ones(2))
    elif CASE == 'objects':
        dist.all_gather_object([None, None], RANK)
    elif CASE == 'waiting':
        dist.all_reduce(torch.ones(2), async_op=True).wait()
    elif CASE == 'backward':
        model(torch.ones(1, 2)).sum().backward()
    elif CASE == 'own':
        raise RuntimeError('[/a/gloo/pair.cc:1] Connection closed by peer, timed out')
    elif CASE == 'own_backward':
        Grumbling.apply(torch.ones(2, requires_grad=True)).sum().backward()
    elif CASE == 'misuse':
        dist.all_reduce(torch.ones(2).to(torch.float8_e4m3fn))


def main():
    # A store that is a server would be gone with the process that ends.
    dist.init_process_group('gloo', init_method=f'file://{STORE}', rank=RANK, world_size=2,
                            timeout=datetime.timedelta(seconds=20))
    model = nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
    model.require_forward_param_sync = False
    dist.barrier()
    if RANK == 1:
        os._exit(0)
    time.sleep(0.2)
    try:
        with naming_lost_peers():
            act(model)
    except Exception as error:
        kind = 'lost' if isinstance(error, LostPeerError) else type(error).__name__
        sys.stdout.write(f'{kind}: {error}')
    sys.stdout.flush()
    os._exit(0)


main()
