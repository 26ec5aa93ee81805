"""Convert COCO-Stuff 10k to images and masks in folders of their splits."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.coco_stuff10k import convert_coco_stuff10k
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set (COCO_PATH)')
    parser.add_argument('coco_path', metavar='COCO_PATH', help='folder of the unpacked archives')
    args = parser.parse_args()
    counts = convert_coco_stuff10k(args.coco_path, args.out_dir, args.nproc)
    print('  '.join(f'{split}: {count:,} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
