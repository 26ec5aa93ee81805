"""Convert DRIVE to images and masks of vessels."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.drive import convert_drive
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set', 'data/DRIVE', tmp_dir=True)
    parser.add_argument('training_path', metavar='TRAINING', help='training.zip')
    parser.add_argument('testing_path', metavar='TEST', help='test.zip')
    args = parser.parse_args()
    counts = convert_drive(args.training_path, args.testing_path, args.out_dir,
                           args.nproc, args.tmp_dir)
    print('  '.join(f'{split}: {count} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
