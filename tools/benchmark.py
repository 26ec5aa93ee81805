"""Measure this toolkit beside plain PyTorch and other toolkits, in turn, on this machine.

python tools/benchmark.py train --peer-python /envs/mmseg-0.30/bin/python
Subcommands: train, infer, slide, pipeline, eval, startup, checkpoint; each has its own --help.
"""
import sys
from collections.abc import Sequence

from mmseg.apis.benchmark.options import make_parser
from mmseg.apis.benchmark.run import run_benchmark
from mmseg.apis.bootstrap import run_command


def main(argv: Sequence[str] | None = None) -> None:
    print(run_benchmark(make_parser(__doc__).parse_args(argv)))


if __name__ == '__main__':
    sys.exit(run_command(main))
