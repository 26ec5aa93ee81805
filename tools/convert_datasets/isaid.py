"""Convert the images of iSAID to windows with masks, and copy those to test."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.aerial.isaid import convert_isaid
from mmseg.datasets.converters.options import add_unknown, converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set (data/iSAID)', tmp_dir=True)
    parser.add_argument('dataset_path', metavar='ARCHIVES',
                        help='folder of {train,val,test}/images/*.zip and Semantic_masks')
    parser.add_argument('--patch-width', '--patch_width', dest='patch_width', type=int,
                        default=896, help='width of windows in pixels (896)')
    parser.add_argument('--patch-height', '--patch_height', dest='patch_height', type=int,
                        default=896, help='height of windows in pixels (896)')
    parser.add_argument('--overlap-area', '--overlap_area', dest='overlap_area', type=int,
                        default=384, help='pixels that neighbouring windows share (384)')
    add_unknown(parser)
    args = parser.parse_args()
    counts = convert_isaid(
        args.dataset_path, args.out_dir or 'data/iSAID', tmp_dir=args.tmp_dir, nproc=args.nproc,
        patch_width=args.patch_width, patch_height=args.patch_height,
        overlap_area=args.overlap_area, unknown=args.unknown)
    print('  '.join(f'{split}: {count:,} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
