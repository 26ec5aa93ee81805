"""One of two processes that use `hccl`; run by test_simulated_npu.py."""
import os

import pytest
import torch
import torch.distributed as dist
from torch import nn

torch.npu.set_device(int(os.environ['LOCAL_RANK']))
dist.init_process_group('hccl')
RANK = dist.get_rank()


def on_npu(*values, dtype=torch.float32):
    return torch.tensor(values, device='npu', dtype=dtype)


def check_reductions():
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.int32, torch.int8):
        x = on_npu(RANK + 1, 5, dtype=dtype)
        dist.all_reduce(x)
        assert x.tolist() == [3, 10], dtype
    work = dist.all_reduce(x := on_npu(RANK), op=dist.ReduceOp.MAX, async_op=True)
    work.wait()
    assert x.item() == 1
    dist.reduce(x, 0)
    assert x.item() == (2 if RANK == 0 else 1)
    out = torch.empty(1, device='npu')
    dist.reduce_scatter_tensor(out, on_npu(1, 2))
    assert out.item() == 2 * (RANK + 1)


def check_refusals():
    with pytest.raises(RuntimeError, match='Unsupported data type for HCCL.*torch.int64'):
        dist.all_reduce(on_npu(1, dtype=torch.int64))
    with pytest.raises(RuntimeError, match='No backend type associated with device type cpu'):
        dist.all_reduce(torch.ones(1))
    with pytest.raises(RuntimeError, match='must be contiguous'):
        dist.all_reduce(torch.ones(4, 4, device='npu').t()[:, :2])


def check_moves():
    dist.broadcast(x := on_npu(RANK, 7), 1)
    assert x.tolist() == [1, 7]
    parts = [torch.empty(1, device='npu') for _ in range(2)]
    dist.all_gather(parts, on_npu(RANK))
    assert [part.item() for part in parts] == [0, 1]
    out = torch.empty(2, device='npu')
    dist.all_gather_into_tensor(out, on_npu(RANK))
    assert out.tolist() == [0, 1]
    dist.all_to_all_single(out, on_npu(2 * RANK, 2 * RANK + 1))
    assert out.tolist() == [RANK, RANK + 2]
    dist.scatter(x := on_npu(0), [on_npu(3), on_npu(4)] if RANK == 0 else None, 0)
    assert x.item() == 3 + RANK
    if RANK == 0:
        dist.send(on_npu(9), 1)
    else:
        dist.recv(x, 0)
        assert x.item() == 9


def check_objects_and_groups():
    objects = ['from rank 0', {'a': 1}] if RANK == 0 else [None, None]
    dist.broadcast_object_list(objects)
    assert objects == ['from rank 0', {'a': 1}]
    gathered = [None, None]
    dist.all_gather_object(gathered, RANK)
    assert gathered == [0, 1]
    dist.barrier()
    dist.all_reduce(x := on_npu(1), group=dist.new_group([0, 1]))
    assert x.item() == 2
    counts = torch.ones(1, dtype=torch.int64)
    dist.all_reduce(counts, group=dist.new_group([0, 1], backend='gloo'))
    assert counts.item() == 2


def check_training(**options):
    """Two processes with half a batch each, and SyncBN, are one with the whole batch and BN."""
    torch.manual_seed(0)
    norms = {'npu': nn.SyncBatchNorm(8), 'cpu': nn.BatchNorm2d(8)}
    torch.manual_seed(7)
    batch = torch.randn(4, 3, 6, 6)
    trained = {}
    for device, norm in norms.items():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 8, 3), norm, nn.ReLU(), nn.Conv2d(8, 5, 1)).to(device)
        model = net
        if device == 'npu':
            model = nn.parallel.DistributedDataParallel(net, **options)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.zero_grad()
            part = batch[RANK::2].to(device) if device == 'npu' else batch
            model(part).square().mean().backward()
            optimizer.step()
        trained[device] = net.cpu().state_dict()
    for key, expected in trained['cpu'].items():
        torch.testing.assert_close(trained['npu'][key], expected, rtol=1e-4, atol=1e-5, msg=key)


check_reductions()
check_refusals()
check_moves()
check_objects_and_groups()
check_training()
check_training(static_graph=True, gradient_as_bucket_view=True)
check_training(find_unused_parameters=True, device_ids=[RANK])
dist.destroy_process_group()
os.write(1, f'rank {RANK} is done\n'.encode())
