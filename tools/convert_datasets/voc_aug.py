"""Convert SBD's annotations (VOC aug) to masks and write trainaug.txt and aug.txt."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.options import converter_parser
from mmseg.datasets.converters.voc_aug import convert_voc_aug


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the masks (DEVKIT/VOC2012/SegmentationClassAug)')
    parser.add_argument('devkit', metavar='DEVKIT', help='folder of VOC2012: data/VOCdevkit')
    parser.add_argument('aug', metavar='AUG', help='folder of SBD: data/VOCdevkit/VOCaug')
    args = parser.parse_args()
    counts = convert_voc_aug(args.devkit, args.aug, args.out_dir, args.nproc)
    print('  '.join(f'{name}.txt: {count} names' for name, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
