"""Count multiply-adds and parameters: python tools/get_flops.py CONFIG --shape 512 512."""
import argparse
import sys
from collections.abc import Sequence

from mmcv_replace.utils import DictAction
from mmseg.apis.cli import load_config, run_command
from mmseg.benchmark.flops import count_complexity, format_complexity


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a published model')
    parser.add_argument('--shape', type=int, nargs='+', default=[2048, 1024], metavar='SIZE',
                        help='height and width of the image (2048 1024, as the reference has it), '
                        'after the number of channels if need be; one number is a square')
    parser.add_argument('--depth', type=int, default=2,
                        help='levels of modules that get a row (2)')
    parser.add_argument('--cfg-options', '--options', nargs='+', action=DictAction,
                        metavar='KEY=VALUE', help='change config values')
    args = parser.parse_args(argv)
    shape = args.shape * 2 if len(args.shape) == 1 else args.shape
    cfg = load_config(args.config, args.cfg_options)
    print(format_complexity(count_complexity(cfg, shape, args.depth)))


if __name__ == '__main__':
    sys.exit(run_command(main))
