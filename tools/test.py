"""Test a model: python tools/test.py CONFIG CHECKPOINT --eval mIoU [--show-dir DIR].

CONFIG is a file, or the name of a published model, whose weights are fetched without CHECKPOINT.
"""
import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields

from mmcv_replace.utils import DictAction
from mmseg.apis.cli import load_config, run_command
from mmseg.apis.process import add_common_arguments, start_process
from mmseg.apis.test_job import OutputOptions, evaluate_from_config
from mmseg.zoo import published_weights


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test (and score) a segmentation model')
    add_common_arguments(parser)
    parser.add_argument('checkpoint', nargs='?',
                        help='checkpoint file, such as work_dirs/NAME/latest.pth; without it the '
                        'published weights, where CONFIG is the name of a model')
    parser.add_argument('--ema', action='store_true', help='take the averaged weights')
    parser.add_argument('--eval', nargs='+', default=[], metavar='METRIC',
                        help="mIoU, mDice, mFscore, cityscapes (the benchmark's), or what your "
                        "dataset's evaluate knows")
    parser.add_argument('--out', metavar='FILE.pkl', help='write the list of label maps')
    parser.add_argument('--format-only', action='store_true',
                        help='write files for a test server, do not score')
    parser.add_argument('--show', action='store_true', help='show each prediction on the screen')
    parser.add_argument('--show-dir', metavar='DIR', help='write each prediction over its image')
    parser.add_argument('--opacity', type=float, default=0.5, help='of the painted prediction')
    parser.add_argument('--show-legend', action='store_true',
                        help='list the classes beside each painted picture')
    parser.add_argument('--show-bands', type=int, nargs='+', metavar='BAND',
                        help='of images with several: the three bands to show as red, green and '
                        'blue, or one in grey, counted from 0 (0 1 2)')
    parser.add_argument('--aug-test', action='store_true', help='several scales, and mirrored')
    parser.add_argument('--amp', action='store_true',
                        help="mixed precision, in the device's type unless the config says which")
    parser.add_argument('--fuse-conv-bn', action=argparse.BooleanOptionalAction, default=None,
                        help='fold batch norms into convolutions, those of custom modules too; '
                        "without it, the toolkit's own are folded")
    parser.add_argument('--eval-options', '--format-args', nargs='+', action=DictAction, default={},
                        metavar='KEY=VALUE', help='arguments for dataset.evaluate; with '
                        '--format-only for dataset.format_results, such as out_dir=DIR '
                        '(WORK_DIR/format_results), or imgfile_prefix=DIR as in 0.x')
    parser.add_argument('--tmpdir', help='folder that all hosts see, for collecting --out')
    parser.add_argument('--gpu-collect', action='store_true',
                        help='collect --out over the network instead')
    parser.add_argument('--work-dir', metavar='DIR',
                        help='write the scores to DIR/eval_TIME.json, with the confusion matrix to '
                        'eval_TIME.npz (work_dirs/CONFIG_NAME is that of what else is written)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    given = {**vars(args), 'metrics': args.eval}
    options = OutputOptions(**{option.name: given[option.name] for option in fields(OutputOptions)})
    checkpoint = args.checkpoint or published_weights(args.config)
    cfg = load_config(args.config, args.cfg_options, args.data_root)
    if args.fuse_conv_bn is not None:
        cfg.fuse_conv_bn = args.fuse_conv_bn
    if args.amp and all(cfg.get(key) in (None, False) for key in ('fp16', 'bf16')):
        cfg.fp16 = dict(opt_level='O1')
    process = start_process(cfg, args.device, args.launcher, args.device_list, args.local_rank,
                            args.addr)
    evaluate_from_config(cfg, checkpoint, process, options, averaged=args.ema)


if __name__ == '__main__':
    sys.exit(run_command(main))
