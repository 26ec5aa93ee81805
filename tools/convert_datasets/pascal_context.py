"""Make the masks of Pascal Context from trainval_merged.json, and write train.txt and val.txt."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.options import converter_parser
from mmseg.datasets.converters.pascal_context import convert_pascal_context


def main() -> None:
    parser = converter_parser(__doc__,
                              'folder of the masks (DEVKIT/VOC2010/SegmentationClassContext)')
    parser.add_argument('devkit_path', metavar='DEVKIT', help='folder of VOC2010: data/VOCdevkit')
    parser.add_argument('json_path', metavar='JSON',
                        help='trainval_merged.json of PASCAL in Detail')
    args = parser.parse_args()
    counts = convert_pascal_context(args.devkit_path, args.json_path, args.out_dir, args.nproc)
    print('  '.join(f'{name}.txt: {count} names' for name, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
