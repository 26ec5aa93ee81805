"""Draw a confusion matrix to DIR/confusion_matrix.png: which classes are taken for which.

    confusion_matrix.py WORK_DIR DIR                 the last evaluation of a training or a test
    confusion_matrix.py WORK_DIR/evaluations/iter_2000.npz DIR
    confusion_matrix.py CONFIG FILE.pkl DIR          predictions of tools/test.py --out FILE.pkl
    confusion_matrix.py CONFIG CHECKPOINT DIR        predicts data.test
"""
import argparse
import sys
from collections.abc import Sequence

from mmcv_replace.utils import DictAction
from mmseg.apis.cli import run_command
from mmseg.apis.confusion_job import FILE, OWN_COLOURS, PICKLES, Source, write_confusion


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='WORK_DIR|FILE.npz|CONFIG')
    parser.add_argument('prediction_path', nargs='?', metavar='FILE.pkl|CHECKPOINT',
                        help=f'with a config: predictions ({", ".join(PICKLES)}) or a checkpoint')
    parser.add_argument('save_dir', metavar='DIR', help=f'folder for {FILE}')
    parser.add_argument('--show', action='store_true', help='show the picture in a window, too')
    parser.add_argument('--color-theme', default=OWN_COLOURS,
                        help=f'colour map: winter, viridis ... ({OWN_COLOURS})')
    parser.add_argument('--title', default='Normalized Confusion Matrix')
    parser.add_argument('--device', default='auto', help='to predict with: auto, npu, cuda or cpu')
    parser.add_argument('--cfg-options', '--options', nargs='+', action=DictAction,
                        metavar='KEY=VALUE', help='change config values')
    args = parser.parse_args(argv)
    path = write_confusion(
        Source(args.source, args.prediction_path, args.cfg_options, args.device), args.save_dir,
        args.title, args.color_theme, args.show)
    print(f'confusion matrix: {path}')


if __name__ == '__main__':
    sys.exit(run_command(main))
