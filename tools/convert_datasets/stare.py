"""Convert STARE to images and masks of vessels."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.options import converter_parser
from mmseg.datasets.converters.stare import convert_stare


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set', 'data/STARE', tmp_dir=True)
    parser.add_argument('image_path', metavar='IMAGES', help='stare-images.tar')
    parser.add_argument('labels_ah', metavar='LABELS_AH', help='labels-ah.tar')
    parser.add_argument('labels_vk', metavar='LABELS_VK', help='labels-vk.tar')
    args = parser.parse_args()
    counts = convert_stare(args.image_path, args.labels_ah, args.labels_vk,
                           args.out_dir, args.nproc, args.tmp_dir)
    print('  '.join(f'{split}: {count} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
