"""One of two processes of test_distributed.py: python two_processes.py RANK STORE_FILE."""
import json
import sys

import torch
import torch.distributed as dist
from torch import nn

from mmcv_replace.parallel import (
    DataContainer,
    MMDistributedDataParallel,
    collate,
    is_module_wrapper,
)
from mmcv_replace.parallel.distributed_deprecated import (
    MMDistributedDataParallel as OwnGradients,
)
from mmcv_replace.runner import LogBuffer, get_dist_info, master_only
from mmcv_replace.runner.dist_utils import leave_dist, mean_over_ranks


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x):
        return self.layer(x)

    def train_step(self, data, optimizer):
        loss = self(data['x']).square().mean()
        return {'loss': loss, 'log_vars': {'loss': loss.detach()}, 'num_samples': len(data['x'])}

    def val_step(self, data, optimizer):
        return {'log_vars': {'loss': self(data['x']).mean().detach()}}


def batch_of(rank):
    generator = torch.Generator().manual_seed(rank)
    samples = [{'x': DataContainer(torch.randn(2, generator=generator), stack=True, pad_dims=None)}
               for _ in range(3)]
    return collate(samples, samples_per_gpu=3)


class Mixed(nn.Module):
    """Parameters of two types and a buffer, which differ between the ranks."""

    def __init__(self, rank):
        super().__init__()
        self.light = nn.Parameter(torch.full((2, 3), rank + 1.0))
        self.wide = nn.Parameter(torch.full((4,), rank + 2.0, dtype=torch.float64))
        self.register_buffer('steps', torch.tensor(rank + 3))

    def forward(self, x):
        return x * self.light

    def train_step(self, data, optimizer):
        return {'loss': self(data['x']).sum(), 'optimizer': optimizer}

    def val_step(self, data, optimizer):
        return {'val': self(data['x']).sum()}


def broadcast(rank):
    """State of a deprecated wrapper with buffers and without, and its results."""
    found = []
    for options in ({}, dict(broadcast_buffers=False, bucket_cap_mb=1e-6)):
        model = OwnGradients(Mixed(rank), **options)
        found.append([value.flatten().tolist() for value in model.state_dict().values()])
    x = DataContainer([torch.ones(3)])
    found.append([model(x).sum().item(), model.train_step({'x': x}, 'sgd')['optimizer'],
                  model.val_step({'x': x}, None)['val'].item()])
    return found


def main():
    rank, store = int(sys.argv[1]), sys.argv[2]
    dist.init_process_group('gloo', init_method=f'file://{store}', rank=rank, world_size=2)
    torch.manual_seed(rank)  # other weights on each rank: DDP takes those of rank 0
    model = MMDistributedDataParallel(Model(), device_ids=[0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    buffer = LogBuffer()
    for _ in range(2):
        outputs = model.train_step(batch_of(rank), optimizer)
        buffer.update(outputs['log_vars'], outputs['num_samples'])
        optimizer.zero_grad()
        outputs['loss'].backward()
        optimizer.step()
    local = [float(value) for value in buffer.val_history['loss']]
    buffer.average(2)
    with torch.no_grad():
        # Ranks may run different numbers of batches without waiting for each other.
        for _ in range(1 + rank):
            model(**batch_of(rank))
            model.val_step(batch_of(rank), None)
        unaveraged = model.train_step(batch_of(rank), optimizer)
    return {'step': sorted(unaveraged), 'broadcast': broadcast(rank), 'info': get_dist_info(),
            'weight': model.module.layer.weight.tolist(),
            'bias': model.module.layer.bias.tolist(), 'losses': local, 'mean': buffer.output,
            'master': master_only(lambda: 'spoke')(), 'empty': mean_over_ranks([]),
            'wrapper': is_module_wrapper(model)}


found = main()
leave_dist()
sys.stdout.write(json.dumps(found))
