"""Draw curves of TIMESTAMP.log.json files as a picture, or tell how long their iterations took.

Without a subcommand it draws curves, as in mmsegmentation 0.x. tools/report.py makes a page of all
that a log says.
"""
import argparse
import sys
from collections.abc import Sequence

from mmseg.apis.cli import run_command
from mmseg.report.plot import PlotOptions, plot_curves
from mmseg.report.train_time import format_train_time

PLOT, TIME = COMMANDS = ('plot_curve', 'cal_train_time')


def main(argv: Sequence[str] | None = None) -> None:
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] not in (*COMMANDS, '-h', '--help'):
        given.insert(0, PLOT)
    args = make_parser().parse_args(given)
    if args.command == TIME:
        for log in args.json_logs:
            print(format_train_time(log, args.include_outliers))
        return
    plot_curves(args.json_logs, PlotOptions(
        args.keys, args.title, args.legend, args.backend, args.style, args.out))
    if args.out is not None:
        print(f'save curve to: {args.out}')


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    plot = commands.add_parser(PLOT, help='draw curves with matplotlib')
    plot.add_argument('json_logs', nargs='+', help='TIMESTAMP.log.json, or a work directory')
    plot.add_argument('--keys', nargs='+', default=['mIoU'], help='numbers to draw, such as loss '
                      'decode.acc_seg lr mIoU IoU.person (mIoU)')
    plot.add_argument('--title')
    plot.add_argument('--legend', nargs='+', help='a name for each key of each log (LOG_KEY)')
    plot.add_argument('--backend', help='of matplotlib')
    plot.add_argument('--style', default='dark', help='of matplotlib or seaborn (dark)')
    plot.add_argument('--out', help='picture or PDF (a window)')
    time = commands.add_parser(TIME, help='mean time of an iteration, slowest and fastest epoch')
    time.add_argument('json_logs', nargs='+', help='TIMESTAMP.log.json, or a work directory')
    time.add_argument('--include-outliers', action='store_true',
                      help='count the first record of each epoch too')
    return parser


if __name__ == '__main__':
    sys.exit(run_command(main))
