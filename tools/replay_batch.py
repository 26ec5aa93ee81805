"""Repeat a training step that gave values that are not finite, and find where they arise.

The file is WORK_DIR/nonfinite_iter_N_rank_R.pth, named in the error of the training.
Exit code: 0 when all is finite this time, 1 when it is not, 2 when it cannot be run.
"""
import argparse
import sys
from collections.abc import Sequence

from mmseg.apis.cli import run_command
from mmseg.apis.replay import replay_batch


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file', help='nonfinite_iter_N_rank_R.pth')
    parser.add_argument('--device', default='auto', help='auto (default), npu, gpu, cuda or cpu')
    parser.add_argument('--config', help='config to take in place of the one in the file; a Python '
                        'config is code, which the one in the file is not')
    parser.add_argument('--checkpoint', help='weights to take in place of those in the file')
    args = parser.parse_args(argv)
    sys.stdout.reconfigure(errors='backslashreplace')  # names of files in any terminal
    report, finite = replay_batch(args.file, args.device, args.config, args.checkpoint)
    print(report)
    return 0 if finite else 1


if __name__ == '__main__':
    sys.exit(run_command(main))
