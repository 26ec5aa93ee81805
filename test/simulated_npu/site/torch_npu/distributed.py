"""`hccl`: collectives between devices, carried by gloo on their memory, which is the host's."""
import os

import torch
import torch.distributed as dist

from . import syncbatchnorm

# What the first generation of the devices can add up; newer ones have int64 too, none float64.
REDUCIBLE = (torch.int8, torch.int32, torch.float16, torch.bfloat16, torch.float32)

# Seconds: HCCL's own limits and their defaults; a group's of exactly 30 minutes counts as not set.
LIMITS = {'HCCL_EXEC_TIMEOUT': 1836, 'HCCL_EVENT_TIMEOUT': 1868}
UNSET = 1800


def is_hccl_available():
    return 'hccl' in dist.Backend.backend_list


def register():
    """Make 'hccl' the backend of the device type 'npu', and synchronise its batch norms."""
    if dist.is_available():
        dist.Backend.register_backend('hccl', _create, extended_api=True, devices=['npu'])
        syncbatchnorm.install()


def _create(options, _):
    """The real one only warns of a time limit that ends the process before HCCL says why."""
    seconds = options.timeout.total_seconds()
    limits = [int(os.environ.get(name, default)) for name, default in LIMITS.items()]
    if seconds != UNSET and not limits[0] < limits[1] < seconds:
        raise RuntimeError(f'time limits must grow: {limits} of {", ".join(LIMITS)}, then '
                           f'{seconds} of the process group')
    return ProcessGroupHCCL(options.store, options.group_rank, options.group_size, options.timeout)


class ProcessGroupHCCL(dist.ProcessGroup):
    """Each collective is gloo's of the same name; it is done when the call returns."""

    def __init__(self, store, rank, size, timeout):
        super().__init__(rank, size)
        self._gloo = dist.ProcessGroupGloo(store, rank, size, timeout)
        self._register_backend(torch.device('npu'), dist.ProcessGroup.BackendType.CUSTOM,
                               self._gloo)

    def getBackendName(self):
        return 'hccl'

    def barrier(self, opts=None):
        torch.ops.simulated_npu.synchronize()
        self._gloo.barrier(*([] if opts is None else [opts])).wait()
        return _done([])


def _collective(name, gloo_name, reduces):
    def run(self, *args):
        for tensor in _tensors(args):
            _check(name, tensor, reduces)
        getattr(self._gloo, gloo_name)(*_on_host(args)).wait()
        return _done(args[0])
    run.__name__ = name
    return run


# Newer names of torch after the older ones, by which gloo knows them.
for _name, _gloo_name in (('allgather', 'allgather'), ('_allgather_base', '_allgather_base'),
                          ('all_gather_single', '_allgather_base'), ('alltoall', 'alltoall'),
                          ('alltoall_base', 'alltoall_base'),
                          ('all_to_all_single', 'alltoall_base'), ('broadcast', 'broadcast'),
                          ('gather', 'gather'), ('recv', 'recv'), ('scatter', 'scatter'),
                          ('send', 'send')):
    setattr(ProcessGroupHCCL, _name, _collective(_name, _gloo_name, reduces=False))
for _name, _gloo_name in (('allreduce', 'allreduce'),
                          ('allreduce_coalesced', 'allreduce_coalesced'), ('reduce', 'reduce'),
                          ('reduce_scatter', 'reduce_scatter'),
                          ('_reduce_scatter_base', '_reduce_scatter_base'),
                          ('reduce_scatter_single', '_reduce_scatter_base')):
    setattr(ProcessGroupHCCL, _name, _collective(_name, _gloo_name, reduces=True))


def _tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)


def _on_host(value):
    if isinstance(value, torch.Tensor):
        return torch.ops.simulated_npu.on_host(value.detach())
    return type(value)(map(_on_host, value)) if isinstance(value, (list, tuple)) else value


def _check(name, tensor, reduces):
    if tensor.device.type != 'npu':
        raise RuntimeError(f'No backend type associated with device type {tensor.device.type}: '
                           f'hccl {name} takes tensors on the NPU')
    if not tensor.is_contiguous():
        raise RuntimeError(f'hccl {name}: tensors must be contiguous')
    if reduces and tensor.dtype not in REDUCIBLE:
        raise RuntimeError(f'Unsupported data type for HCCL process group: {name} of '
                           f'{tensor.dtype}')


def _done(result):
    future = torch.futures.Future()
    future.set_result(result)
    return torch._C._distributed_c10d._create_work_from_future(future)
