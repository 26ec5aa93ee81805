"""Kill a small training at random moments, resume it, compare what comes out.

    python test/end_to_end/kill_training.py CONFIG FOLDER [--kills 50] [--seed 0]

CONFIG is one of a training of seconds. Prints how many of the killed runs ended with the weights,
the optimizer state and the best checkpoint of the run that nobody disturbed, bit for bit; exit code
1 unless all did.
Every second kill falls into the writing of a checkpoint. The trainings are forked from this
process, which has imported everything: a kill costs no start-up.
"""
import argparse
import importlib.util
import os
import random
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from mmseg.apis.cli import run_command  # noqa: E402

WAIT = 120  # seconds that one training may take


def load_tool():
    spec = importlib.util.spec_from_file_location('train', ROOT / 'tools/train.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool.main


class Trainings:
    """Starts trainings of one config, each in a process of its own."""

    def __init__(self, config, folder):
        self.config, self.folder, self.main = config, folder, load_tool()

    def start(self, work_dir, *options):
        arguments = [str(self.config), '--device', 'cpu', '--seed', '7', '--work-dir',
                     str(work_dir), *options]
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            os.setsid()
            log = os.open(f'{work_dir}.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = run_command(lambda: self.main(arguments))
        finally:
            sys.stderr.flush()
            os._exit(code)

    def finish(self, pid, work_dir):
        """Wait for a training and return its final state."""
        deadline = time.monotonic() + WAIT
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise SystemExit(f'{work_dir}: no end after {WAIT} s, see {work_dir}.txt')
            time.sleep(0.02)
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise SystemExit(f'{work_dir}: exit code {code}, see {work_dir}.txt')
        stored = torch.load(work_dir / 'latest.pth', weights_only=True)
        best = {file.name: torch.load(file, weights_only=True)['state_dict']
                for file in work_dir.glob('best_*.pth')}
        return {'iter': stored['meta']['iter'], 'weights': stored['state_dict'],
                'optimizer': stored['optimizer']['state'], 'best': best}


def kill_later(pid, work_dir, checkpoints, seconds, in_write):
    """SIGKILL so many seconds after that many iterations are saved, or after the start.

    `in_write`: as soon as a file is being written after that. Returns whether it came to that, or
    the training ended before.
    """
    end = None
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if end is None and newest(work_dir) >= checkpoints:
            end = time.monotonic() + seconds
        if end is not None and time.monotonic() >= end and (
                not in_write or unfinished(work_dir)):
            time.sleep(random.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return True
        time.sleep(0.001)
    return False


def newest(work_dir):
    numbers = [int(path.stem.removeprefix('iter_')) for path in work_dir.glob('iter_*.pth')]
    return max(numbers, default=0)


def unfinished(work_dir):
    try:
        return [name for name in os.listdir(work_dir) if name.endswith('.tmp')]
    except FileNotFoundError:
        return []


def equal(one, two):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(equal(one[key], two[key]) for key in one)
    return one == two


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', type=Path)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--kills', type=int, default=50)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    args.folder.mkdir(parents=True, exist_ok=True)
    trainings = Trainings(args.config, args.folder)
    for name in ('first', 'whole'):  # the first one also warms the caches
        started = time.monotonic()
        expected = trainings.finish(trainings.start(args.folder / name), args.folder / name)
        length = time.monotonic() - started
    print(f'undisturbed: {length:.1f} s, {expected["iter"]} iterations', flush=True)

    same = halves = killed = 0
    progress = []
    for number in range(args.kills):
        work_dir = args.folder / f'killed_{number}'
        workers = f'data.workers_per_gpu={number % 3 // 2}'  # every third run has a worker
        pid = trainings.start(work_dir, '--cfg-options', workers)
        target = random.randrange(expected['iter'])
        # Most of a training that has saved nothing yet is its start.
        seconds = random.uniform(0, length if target == 0 else 0.3)
        killed += kill_later(pid, work_dir, target, seconds, in_write=number % 2 == 1)
        halves += bool(unfinished(work_dir))
        progress.append(newest(work_dir))
        result = trainings.finish(trainings.start(work_dir, '--auto-resume'), work_dir)
        left = unfinished(work_dir)
        same += equal(result, expected) and not left
        if not equal(result, expected) or left:
            print(f'{work_dir} ended otherwise; left over: {left}', flush=True)
    print(f'{args.kills} runs: {same} ended with the same weights, bit for bit; {killed} were '
          f'killed in time; {halves} left an unfinished file; saved iterations when the kills '
          f'came: {sorted(progress)}')
    return int(same != args.kills)


if __name__ == '__main__':
    sys.exit(main())
