"""Make one HTML page of a training, or of several side by side: curves, scores, pictures, config.

The page needs no network and no other file.
"""
import argparse
import sys
from collections.abc import Sequence

from mmseg.apis.cli import run_command
from mmseg.report.page import write_report


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dir', nargs='+', help='--work-dir of a training, whose newest run '
                        'is shown, or a TIMESTAMP.log.json')
    parser.add_argument('--out', metavar='FILE',
                        help='the page (report.html in the first WORK_DIR)')
    args = parser.parse_args(argv)
    print(f'report: {write_report(args.work_dir, args.out, "tools/report.py")}')


if __name__ == '__main__':
    sys.exit(run_command(main))
