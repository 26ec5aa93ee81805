"""Convert LoveDA to images and masks in folders of their splits."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.aerial.loveda import convert_loveda
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set (data/loveDA)', tmp_dir=True)
    parser.add_argument('dataset_path', metavar='ARCHIVES',
                        help='folder of Train.zip, Val.zip and Test.zip')
    args = parser.parse_args()
    counts = convert_loveda(args.dataset_path, args.out_dir or 'data/loveDA', args.tmp_dir,
                            args.nproc)
    print('  '.join(f'{split}: {count:,} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
