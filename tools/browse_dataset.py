"""Show samples of a data set before and after each step of its pipeline, with what was drawn.

They are those of the training: a sample depends on the seed, the epoch and its index alone. By
default an HTML page is written, WORK_DIR/browse/train.html.
Exit code: 0, or 1 where samples could not be loaded (the page shows why), or 2 where nothing can be
shown.
"""
import argparse
import sys
from collections.abc import Sequence

from mmcv_replace.utils import DictAction
from mmseg.apis.browse import BrowseOptions, browse_dataset
from mmseg.apis.browse.options import read_numbers
from mmseg.apis.cli import load_config, run_command
from mmseg.apis.datasets import SPLITS
from mmseg.apis.own.options import add_own_data_arguments, apply_own_data_arguments

DEFAULT = 'pspnet_r50-d8_512x512_20k_voc12aug'  # the model that README begins with


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='config file; with --images by default '
                        f'{DEFAULT}')
    parser.add_argument('--split', choices=SPLITS, default='train', help='(train)')
    which = parser.add_argument_group('which samples')
    which.add_argument('--number', type=int, default=8, metavar='N',
                       help='how many, spread evenly over the data set (8); 0: all')
    which.add_argument('--index', nargs='+', default=[], metavar='I',
                       help='numbers of samples, from 0 on, and ranges: 3 10-12')
    which.add_argument('--name', nargs='+', default=[], metavar='NAME',
                       help="file names of images, without suffix or as patterns: '2007_*'")
    which.add_argument('--epoch', nargs='+', default=['0'], metavar='E',
                       help='epochs, from 0 on (0); several, such as 0-7, show the range of the '
                       'augmentation')
    which.add_argument('--seed', type=int, help='seed of the training (that of the '
                       'config, or of the newest run in the work dir)')
    which.add_argument('--skip-type', nargs='+', default=[], metavar='TYPE',
                       help='steps to take out of the pipelines: PhotoMetricDistortion')
    form = parser.add_argument_group('in which form')
    form.add_argument('--output-dir', metavar='DIR', help='folder to write to (WORK_DIR/browse)')
    form.add_argument('--png', action='store_true',
                      help='a PNG for each sample, DIR/train/*.png, in place of the page')
    form.add_argument('--show', action='store_true', help='windows, in place of the page')
    form.add_argument('--not-show', action='store_true', help='no windows, as by default')
    form.add_argument('--show-interval', type=float, default=2, metavar='S',
                      help='seconds that a window stays (2); 0: until a key is pressed')
    form.add_argument('--opacity', type=float, default=0.5, help='of the labels, in (0, 1] (0.5)')
    form.add_argument('--bands', type=int, nargs='+', metavar='B',
                      help='bands to show as red, green and blue, or one in grey, from 0 on')
    form.add_argument('--max-side', type=int, default=400, metavar='PIXELS',
                      help='longer side of the pictures (400)')
    data = parser.add_argument_group('data and config')
    data.add_argument('--data-root', help='dataset folder, such as data/VOCdevkit/VOC2012')
    data.add_argument('--work-dir', help='folder of the training, by default of the config')
    data.add_argument('--cfg-options', '--options', nargs='+', action=DictAction,
                      metavar='KEY=VALUE', help='change config values: data.train.split=my.txt')
    add_own_data_arguments(parser)
    args = parser.parse_args(argv)
    if args.config is None and args.images is None:
        parser.error('give a config, or --images DIR and --masks DIR')
    if args.show and args.not_show:
        parser.error('--show and --not-show contradict each other')
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    sys.stdout.reconfigure(errors='backslashreplace')  # names of files in any terminal
    options = BrowseOptions(
        split=args.split, number=args.number, indices=read_numbers(args.index, '--index'),
        names=args.name, epochs=read_numbers(args.epoch, '--epoch'), seed=args.seed,
        skip_types=args.skip_type, output_dir=args.output_dir,
        page=not (args.png or args.show), png=args.png, show=args.show,
        show_interval=args.show_interval, opacity=args.opacity, bands=args.bands,
        max_side=args.max_side)
    cfg = load_config(args.config or DEFAULT, args.cfg_options, args.data_root)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    apply_own_data_arguments(cfg, args)
    text, code = browse_dataset(cfg, options)
    print(text)
    return code


if __name__ == '__main__':
    sys.exit(run_command(main))
