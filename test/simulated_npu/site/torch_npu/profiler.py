"""torch_npu.profiler: the host's profile in the place where the real one writes its own."""
import enum
import os
import socket
import time
from pathlib import Path

import torch.profiler
from torch.profiler import ProfilerAction

__all__ = ['ProfilerAction', 'ProfilerActivity', 'profile', 'schedule', 'supported_activities',
           'tensorboard_trace_handler']


class ProfilerActivity(enum.Enum):
    CPU = 0
    NPU = 1


def supported_activities():
    return set(ProfilerActivity)


def schedule(wait, active, warmup=0, repeat=0, skip_first=0, skip_first_wait=0):
    """As torch's, with the arguments in torch_npu's order."""
    return torch.profiler.schedule(wait=wait, warmup=warmup, active=active, repeat=repeat,
                                   skip_first=skip_first, skip_first_wait=skip_first_wait)


class profile(torch.profiler.profile):
    def __init__(self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False,
                 profile_memory=False, with_stack=False, with_flops=False, with_modules=False,
                 experimental_config=None):
        for activity in activities or ():
            if not isinstance(activity, ProfilerActivity):
                raise TypeError(f'{activity!r} is not an activity of torch_npu.profiler')
        super().__init__(activities=[torch.profiler.ProfilerActivity.CPU], schedule=schedule,
                         on_trace_ready=on_trace_ready, record_shapes=record_shapes,
                         profile_memory=profile_memory, with_stack=with_stack,
                         with_flops=with_flops, with_modules=with_modules)


def tensorboard_trace_handler(dir_name=None, worker_name=None, analyse_flag=True):
    """Writes DIR/WORKER_TIME_ascend_pt/ASCEND_PROFILER_OUTPUT/trace_view.json."""
    worker = worker_name or f'{socket.gethostname()}_{os.getpid()}'

    def write(prof):
        if analyse_flag:
            stamp = time.strftime('%Y%m%d%H%M%S')
            folder = Path(dir_name or '.', f'{worker}_{stamp}_ascend_pt', 'ASCEND_PROFILER_OUTPUT')
            folder.mkdir(parents=True, exist_ok=True)
            prof.export_chrome_trace(str(folder / 'trace_view.json'))

    return write
