"""Look for bad files, masks, labels and leaks in the datasets of a config, and count its classes.

Exit code: 0 without errors, 1 with errors in the data, 2 where the check itself cannot be done.
"""
import argparse
import sys
from collections.abc import Sequence

from mmcv_replace.utils import DictAction
from mmseg.apis.check_dataset import check_dataset
from mmseg.apis.cli import load_config, run_command
from mmseg.apis.datasets import SPLITS
from mmseg.apis.own.options import add_own_data_arguments, apply_own_data_arguments

DEFAULT = 'pspnet_r50-d8_512x512_20k_voc12aug'  # the model that README begins with


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='config file; with --images by default '
                        f'{DEFAULT}')
    parser.add_argument('--split', nargs='+', choices=SPLITS, help='what to check (all there is)')
    parser.add_argument('--nproc', type=int, help='number of processes (one a core)')
    parser.add_argument('--data-root', help='dataset folder, such as data/VOCdevkit/VOC2012')
    parser.add_argument('--json', metavar='FILE', help='write all findings and figures to FILE')
    parser.add_argument('--write-clean', metavar='DIR',
                        help='write lists without the samples that have errors: DIR/train.txt ...')
    parser.add_argument('--statistics', action='store_true',
                        help='mean and std of each band of the training images, for Normalize')
    parser.add_argument('--max-examples', type=int, default=5, metavar='K',
                        help='files to show for each kind of finding (5)')
    parser.add_argument('--cfg-options', '--options', nargs='+', action=DictAction,
                        metavar='KEY=VALUE', help='change config values: data.train.split=my.txt')
    add_own_data_arguments(parser)
    args = parser.parse_args(argv)
    if args.config is None and args.images is None:
        parser.error('give a config, or --images DIR and --masks DIR')
    sys.stdout.reconfigure(errors='backslashreplace')  # names of files in any terminal
    cfg = load_config(args.config or DEFAULT, args.cfg_options, args.data_root)
    apply_own_data_arguments(cfg, args)
    text, code = check_dataset(cfg, args.split, args.nproc, args.json, args.write_clean,
                               args.max_examples, args.statistics)
    print(text)
    return code


if __name__ == '__main__':
    sys.exit(run_command(main))
