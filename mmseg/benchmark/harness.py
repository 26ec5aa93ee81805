"""The loop of each measured process: it answers requests, one JSON object per line.

It also runs as a script, `python harness.py WORKER.py`, in environments where `mmseg` is another
package; so it imports only the standard library, torch and numpy. WORKER.py, or the caller of
`serve`, gives CASES: name -> class. A case is constructed with the options of its subcommand:

    round()         does the work once and returns the seconds that it took
    check()         does the work once and returns arrays by name, to compare with other subjects
    about           optional: a dict for the report, such as the subject's name

    timed_steps()   optional: a list of callables that `round` runs, for its profile

and where operations and memory are to be counted:

    step()          the work alone
    state()         the tensors that live from step to step
    device          'cpu', or the accelerator
"""
import json
import math
import os
import resource
import runpy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

MIB = 2**20
# Sizes of the matrix product that estimates a device's peak: the large one where the small is fast.
SMALL_MATRIX, LARGE_MATRIX = 2048, 8192
SHORT = 0.005  # seconds
MATMUL_SECONDS = 0.5  # time to measure each for


def serve(cases: Mapping[str, type]) -> None:
    """Answer the requests on the standard input until it is closed.

    The standard output carries the answers alone: what the work prints goes to the error output.
    """
    answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    case = None
    for line in sys.stdin:
        request = json.loads(line)
        call = request.pop('call')
        if call == 'start':
            case, result = _start(cases, **request)
        else:
            result = CALLS[call](case, **request)
        answers.write(json.dumps(result) + '\n')
        answers.flush()


def _start(cases: Mapping[str, type], case: str, options: Mapping[str, Any]) -> tuple[Any, dict]:
    if case not in cases:
        sys.exit(f'error: it has no {case!r} here, only {", ".join(cases)}')
    made = cases[case](**options)
    import torch  # the worker may have settings to make before
    return made, {**getattr(made, 'about', {}), 'torch': torch.__version__,
                  'threads': torch.get_num_threads()}


def _check(case: Any, file: str) -> None:
    import numpy as np
    np.savez(file, **case.check())


def _resident(case: Any) -> float:
    """Peak resident memory of this process in MiB."""
    # getrusage also counts what the parent had in memory when it made this process.
    status = Path('/proc/self/status')
    if status.is_file():
        for line in status.read_text(encoding='ascii', errors='replace').splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == 'darwin' else 1024)


def _inspect(case: Any, profile: bool, count: bool = True) -> dict[str, Any]:
    """Operations and peak of allocated memory of a step (`count`), and its `profile`."""
    if not hasattr(case, 'step'):
        return {'profile': _time_steps(case)} if profile and hasattr(case, 'timed_steps') else {}
    from torch.utils.flop_counter import FlopCounterMode
    allocated, table = _trace(case)
    found = {'profile': table} if profile else {}
    if count:
        with FlopCounterMode(display=False, custom_mapping=_products()) as counter:
            case.step()
        found |= {'flops': counter.get_total_flops(), 'allocated_mb': allocated}
    return found


def _time_steps(case: Any) -> str:
    """Mean milliseconds of each of `timed_steps()` in a round, as a table."""
    steps, times = case.timed_steps(), []
    plain = list(steps)
    for number, step in enumerate(plain):
        times.append([])
        steps[number] = _timed(step, times[-1])
    try:
        case.round()
    finally:
        steps[:] = plain
    rows = [(type(step).__name__, statistics.mean(found)) for step, found in
            zip(plain, times, strict=True) if found]
    total = sum(seconds for _, seconds in rows)
    return '\n'.join(f'{1000 * seconds:9.3f} ms  {seconds / total:4.0%}  {name}'
                     for name, seconds in rows)


def _timed(step: Callable, times: list[float]) -> Callable:
    def run(*args: Any) -> Any:
        start = time.perf_counter()
        try:
            return step(*args)
        finally:
            times.append(time.perf_counter() - start)
    return run


def _products() -> dict[Any, Callable[..., int]]:
    """Operations of the products of oneDNN, which torch's counter does not know."""
    import torch
    product = getattr(torch.ops.mkldnn, '_linear_pointwise', None)
    if product is None:
        return {}
    return {product: lambda x, y, *_, **__: 2 * math.prod(x) * y[0]}


def _trace(case: Any) -> tuple[float, str]:
    """Peak of allocated MiB in one step, its lasting tensors included, and a profile as text."""
    import torch
    on_cpu = case.device == 'cpu'
    if not on_cpu:
        module = torch.get_device_module(case.device)
        module.reset_peak_memory_stats()
    lasting = sum(_bytes(case.state()))
    with torch.profiler.profile(profile_memory=on_cpu) as profiler:
        case.step()
    by_time = profiler.key_averages()
    clock = 'self_cpu_time_total' if on_cpu else 'self_device_time_total'
    table = by_time.table(sort_by=clock, row_limit=15, max_name_column_width=40)
    if not on_cpu:
        return module.max_memory_allocated() / MIB, table
    return (lasting + _peak_of(profiler)) / MIB, table


def _bytes(tensors: Iterable[Any]) -> Iterable[int]:
    """Sizes of the tensors' memory, each piece counted once."""
    storages = {storage.data_ptr(): storage.nbytes()
                for storage in (tensor.untyped_storage() for tensor in tensors)}
    return storages.values()


def _peak_of(profiler: Any) -> int:
    """The largest number of bytes allocated at one time since the profiler started."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, 'trace.json')
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding='utf-8'))['traceEvents']
    return max((event['args']['Total Allocated'] for event in events
                if event.get('name') == '[memory]'), default=0)


def _matmul_rate(case: Any, dtype: str) -> float:
    """Operations a second of a large matrix product, as an estimate of the device's peak."""
    size = SMALL_MATRIX
    seconds = _matmul_seconds(case.device, dtype, size)
    if seconds < SHORT:
        size = LARGE_MATRIX
        seconds = _matmul_seconds(case.device, dtype, size)
    return 2 * size**3 / seconds


def _matmul_seconds(device: str, dtype: str, size: int) -> float:
    import torch
    if device != 'cpu':
        # By default accelerators convolve float32 in this reduced precision (TF32) too.
        torch.set_float32_matmul_precision('high')
    a, b = (torch.randn(size, size, device=device).to(getattr(torch, dtype)) for _ in range(2))
    times = []
    # The first product starts the threads and chooses the kernel.
    while len(times) < 4 or sum(times) < MATMUL_SECONDS:
        start = time.perf_counter()
        torch.mm(a, b)
        if device != 'cpu':
            torch.accelerator.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])


CALLS = {'round': lambda case: case.round(), 'check': _check, 'resident': _resident,
         'inspect': _inspect, 'matmul_rate': _matmul_rate}


if __name__ == '__main__':
    worker = Path(sys.argv[1]).resolve()
    # In place of this folder, so that the worker finds its own modules and not these.
    sys.path[0] = str(worker.parent)
    serve(runpy.run_path(str(worker))['CASES'])
