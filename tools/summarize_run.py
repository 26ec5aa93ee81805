"""Print the figures of a finished run and write result files, one `Key = value` per line."""
import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmseg.apis.cli import run_command
from mmseg.report.summary import format_final_lines, format_result, summarize_run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', help='--work-dir of the training or test')
    parser.add_argument('--network', required=True, help='name of the model, such as PSPNet')
    parser.add_argument('--rank-size', type=int, required=True, help='number of processes')
    parser.add_argument('--batch-size', type=int, required=True, help='images a process and step')
    parser.add_argument('--seconds', type=int, required=True, help='duration of the whole run')
    parser.add_argument('--result', nargs='+', default=[], metavar='FILE',
                        help='files to write; the name without suffix becomes the CaseName')
    args = parser.parse_args(argv)
    summary = summarize_run(args.work_dir)
    for file in map(Path, args.result):
        file.write_text(format_result(summary, file.stem, args.network, args.rank_size,
                                      args.batch_size, args.seconds), encoding='utf-8')
        print(f'results: {file}')
    print(format_final_lines(summary, args.seconds))


if __name__ == '__main__':
    sys.exit(run_command(main))
