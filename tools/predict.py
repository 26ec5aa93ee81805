"""Predict images: python tools/predict.py CHECKPOINT IMAGES... --out DIR.

CHECKPOINT carries its config; instead of it: a config and --checkpoint FILE, or the name of a
published model. IMAGES are files, folders, patterns and videos; - reads a list of them.
"""
import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields

from mmcv_replace.utils import DictAction
from mmseg.apis.cli import run_command


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', metavar='CONFIG_OR_CHECKPOINT',
                        help='checkpoint, such as work_dirs/NAME/latest.pth; a config; or the name '
                        'of a published model (tools/model_zoo.py list)')
    parser.add_argument('images', nargs='+', metavar='IMAGE',
                        help="files, folders with all below, patterns ('a/**/*.jpg'), videos; "
                        '- for a list on the standard input')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the results')
    parser.add_argument('--checkpoint', metavar='FILE', help='weights, where a config is given')
    parser.add_argument('--ema', action='store_true', help='take the averaged weights')
    parser.add_argument('--device', default='auto',
                        help='auto (default), npu, gpu, cuda or cpu, with an index: npu:1')
    parser.add_argument('--cfg-options', '--options', dest='cfg_options', nargs='+',
                        action=DictAction, metavar='KEY=VALUE', help='change config values')
    parser.add_argument('--skip-existing', action='store_true',
                        help='go on: leave out what DIR holds already')
    _add_outputs(parser.add_argument_group('what is written'))
    _add_computing(parser.add_argument_group('how it is predicted'))
    return parser.parse_intermixed_args(argv)  # images may stand before and after options


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--masks', action=argparse.BooleanOptionalAction, default=True,
                       help='class numbers as PNGs with the palette')
    group.add_argument('--overlays', action=argparse.BooleanOptionalAction, default=True,
                       help='classes painted over images and videos')
    group.add_argument('--frame-masks', action='store_true', help='masks of frames of videos too')
    group.add_argument('--opacity', type=float, default=0.5, help='of the painted classes (0.5)')
    group.add_argument('--legend', action=argparse.BooleanOptionalAction, default=False,
                       help='list the classes beside each painted picture')
    group.add_argument('--bands', type=int, nargs='+', metavar='BAND',
                       help='of images with several: the three to paint on as red, green and blue, '
                       'or one in grey, counted from 0 (0 1 2)')
    group.add_argument('--video-format', choices=('webm', 'mp4', 'avi'), default='webm',
                       help='of painted videos; browsers play webm alone (webm)')
    group.add_argument('--scores', choices=('probabilities', 'confidence'),
                       help="also write all probabilities, or that of each pixel's class "
                       '(float16, .npz)')
    group.add_argument('--threshold', type=float, metavar='P',
                       help='pixels of a lower confidence become 255, which is no class')


def _add_computing(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--batch', type=int, metavar='N',
                       help='images of one shape to predict together (that of the config, 1)')
    group.add_argument('--amp', action='store_true',
                       help="mixed precision, in the device's type unless the config says which")
    group.add_argument('--tta', action='store_true', help='several scales, and mirrored')
    group.add_argument('--slide', action='store_true',
                       help='by windows, of the size in the config unless --crop gives it')
    group.add_argument('--crop', type=int, nargs='+', metavar='PIXELS',
                       help='height and width of the windows, or one number; means --slide')
    group.add_argument('--stride', type=int, nargs='+', metavar='PIXELS',
                       help='from one window to the next, likewise (two thirds of a window)')
    group.add_argument('--scale', type=float, metavar='FACTOR',
                       help='resize images by it, and not as the config says (1: not at all)')
    group.add_argument('--max-pixels', type=int, default=40_000_000, metavar='N',
                       help='an image of more is read and predicted in parts (40000000)')


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    # Here, as torch takes a second, and --help need not wait for it.
    from mmseg.apis.predict.command_words import check_words
    from mmseg.apis.predict.job import predict_from_config
    from mmseg.apis.predict.predictor import find_predictor
    from mmseg.prediction.options import PredictOptions
    options = PredictOptions(**{each.name: getattr(args, each.name)
                                for each in fields(PredictOptions)})
    check_words(args.model, args.images)
    cfg, checkpoint = find_predictor(args.model, args.checkpoint, args.cfg_options)
    failed = predict_from_config(cfg, checkpoint, args.images, options, args.device, args.ema,
                                 sys.stdin)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(run_command(main))
