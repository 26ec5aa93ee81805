"""Draw the polygons of Cityscapes as masks of train ids, and write train.txt, val.txt, test.txt."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.cityscapes import convert_cityscapes
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the lists (CITYSCAPES); masks are written beside '
                                       'the polygons')
    parser.add_argument('cityscapes_path', metavar='CITYSCAPES',
                        help='folder of gtFine and leftImg8bit: data/cityscapes')
    parser.add_argument('--gt-dir', default='gtFine',
                        help='folder of the polygons below it (gtFine), also gtCoarse')
    args = parser.parse_args()
    counts = convert_cityscapes(args.cityscapes_path, args.gt_dir, args.out_dir, args.nproc)
    print('  '.join(f'{name}.txt: {count} names' for name, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
