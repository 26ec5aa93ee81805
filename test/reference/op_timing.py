"""Time and memory of operators on the host, beside other implementations of them.

    python test/reference/op_timing.py --side ours --side mmcv --repeat 5 [NAME ...]

Each operator of op_rows.py runs in a fresh process for each side: `ours`; `plain`, which is ours
without kernels of the device, as other devices run it; `naive`, what one writes with torch alone
(naive_ops.py); `mmcv` and `torchvision`, under interpreters that have them. The rounds of the sides
alternate, so that they share what else the machine does. The table has the medians of a forward
pass without gradients and of one with its backward pass, and the peak of resident memory and what
of it came after the inputs were made; below each row, the ratios to the first side. What a side
does not have is in the table too, with the reason.
"""
import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

FOLDER = Path(__file__).parent
SIDES = ('ours', 'plain', 'naive', 'mmcv', 'torchvision')
FIGURES = ('forward', 'with_backward')
CLOCKS = {'wall': time.perf_counter, 'cpu': time.process_time}
SHORTEST = 0.05  # seconds of a round: faster operators run several times


def main():
    args = parse()
    if args.child:
        serve(*args.child, args)
        return
    # Without torch: the peak of a child begins with the memory of the process that starts it.
    names = json.loads(subprocess.run(
        [sys.executable, '-c', 'import json, op_rows; print(json.dumps([*op_rows.ROWS]))'],
        cwd=FOLDER, check=True, capture_output=True, text=True).stdout)
    unknown = set(args.names) - set(names)
    if unknown:
        sys.exit(f'error: no operator {", ".join(sorted(unknown))}; there are {", ".join(names)}')
    print(f'{"operator":30}{"side":13}{"forward":>12}{"+ backward":>12}{"peak":>12}{"grown":>12}')
    for name in args.names or names:
        compare(name, args)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('names', nargs='*', metavar='NAME', help='operators; default: all')
    parser.add_argument('--side', action='append', choices=SIDES, help='may be given several times')
    parser.add_argument('--repeat', type=int, default=5, help='rounds of each side')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--clock', choices=CLOCKS, default='wall',
                        help='cpu: time of all threads, where others use the machine (--threads 1)')
    parser.add_argument('--python-mmcv', default=sys.executable, metavar='PATH')
    parser.add_argument('--python-torchvision', default=sys.executable, metavar='PATH')
    parser.add_argument('--child', nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.repeat < 1 or args.threads < 1:
        parser.error('--repeat and --threads are 1 or more')
    args.side = list(dict.fromkeys(args.side or ['ours', 'naive']))
    return args


def compare(name, args):
    """Print what all sides need for one operator."""
    with contextlib.ExitStack() as stack:
        children = {side: stack.enter_context(start(side, name, args)) for side in args.side}
        found = {side: [read(child)] for side, child in children.items()}
        for number in range(args.repeat):
            order = list(children)[::1 if number % 2 == 0 else -1]
            for side in order:
                if 'error' not in found[side][-1]:
                    found[side].append(ask(children[side]))
    first = None
    for side, (about, *rounds) in found.items():
        failed = next((r['error'] for r in (about, *rounds) if 'error' in r), None)
        if failed is not None:
            print(f'{name:30}{side:13}not there: {" ".join(failed.split())}')
            continue
        times = [median(r[key] for r in rounds) if key in rounds[0] else None for key in FIGURES]
        peak = rounds[-1]['peak']
        values = [*times, peak, peak - about['base']]
        texts = ['-' if t is None else f'{1e3 * t:.2f} ms' for t in times]
        texts += [f'{m:.0f} MiB' for m in values[2:]]
        print(f'{name:30}{side:13}' + ''.join(f'{text:>12}' for text in texts))
        if first is None:
            first = values
        else:
            ratios = ['-' if None in pair or not pair[0] else f'x {pair[1] / pair[0]:.2f}'
                      for pair in zip(first, values, strict=True)]
            print(f'{"":43}' + ''.join(f'{text:>12}' for text in ratios))
    print(f'{"":30}{next((f[0]["sizes"] for f in found.values() if "sizes" in f[0]), "")}',
          flush=True)


@contextlib.contextmanager
def start(side, name, args):
    python = {'mmcv': args.python_mmcv, 'torchvision': args.python_torchvision}
    threads = str(args.threads)
    env = {**os.environ, 'OMP_NUM_THREADS': threads, 'MKL_NUM_THREADS': threads,
           'PYTHONWARNINGS': 'ignore', 'PYTHONPATH': os.pathsep.join(
               [str(FOLDER.parents[1]), *filter(None, [os.environ.get('PYTHONPATH')])])}
    with subprocess.Popen(
            [python.get(side, sys.executable), __file__, '--child', side, name,
             '--threads', threads, '--clock', args.clock], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        yield child
        child.stdin.close()


def ask(child):
    child.stdin.write('\n')
    child.stdin.flush()
    return read(child)


def read(child):
    line = child.stdout.readline()
    return json.loads(line) if line else {'error': 'the process ended'}


def serve(side, name, args):
    """The child: one line about the operator, then one for each line that it reads."""
    import op_rows
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    row = op_rows.ROWS[name]
    try:
        run, inputs = op_rows.prepare(row, side)
        about = {'sizes': row.sizes, 'base': peak()}
        # Whether it runs at all, and what is set up once, on the first call.
        measure(run, inputs, row.differentiable, time.perf_counter, 0)
    except Exception as error:  # of a foreign package; the table says which
        about = {'error': f'{type(error).__name__}: {str(error).strip()[:90]}'}
    print(json.dumps(about), flush=True)
    for _ in sys.stdin:
        found = measure(run, inputs, row.differentiable, CLOCKS[args.clock], SHORTEST)
        print(json.dumps({**found, 'peak': peak()}), flush=True)


def measure(run, inputs, differentiable, clock, shortest):
    """Seconds of a call without gradients, and of one with its backward pass."""
    import torch

    def forward():
        with torch.no_grad():
            run(*inputs)

    def with_backward():
        for x in inputs:
            x.grad = None
        result = run(*inputs)
        result.backward(torch.ones_like(result))

    found = {'forward': seconds(forward, clock, shortest)}
    if differentiable:
        found['with_backward'] = seconds(with_backward, clock, shortest)
    return found


def seconds(call, clock, shortest):
    start, count = clock(), 0
    while count == 0 or clock() - start < shortest:
        call()
        count += 1
    return (clock() - start) / count


def peak():
    """Peak of resident memory of this program in MiB."""
    status = Path('/proc/self/status')
    if status.exists():  # getrusage counts the process before exec too
        line = next(x for x in status.read_text().splitlines() if x.startswith('VmHWM'))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == 'darwin' else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == '__main__':
    main()
