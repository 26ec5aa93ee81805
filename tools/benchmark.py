"""Measure this toolkit beside plain PyTorch and other toolkits, in turn, on this machine.

python tools/benchmark.py train --peer-python /envs/mmseg-0.30/bin/python
Subcommands: train, infer, slide, predict, large, pipeline, eval, startup, checkpoint, zoo; each has
its own --help.
"""
import sys
from collections.abc import Sequence

from mmseg.apis.cli import run_command
from mmseg.benchmark.options import make_parser
from mmseg.benchmark.run import run_benchmark


def main(argv: Sequence[str] | None = None) -> None:
    print(run_benchmark(make_parser(__doc__).parse_args(argv)))


if __name__ == '__main__':
    sys.exit(run_command(main))
