"""Convert the label maps of COCO-Stuff 164k to masks without gaps in the numbers of classes."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.coco_stuff164k import convert_coco_stuff164k
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set (COCO_PATH)')
    parser.add_argument('coco_path', metavar='COCO_PATH', help='folder of the unpacked archives')
    args = parser.parse_args()
    counts = convert_coco_stuff164k(args.coco_path, args.out_dir, args.nproc)
    print('  '.join(f'{split}: {count:,} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
