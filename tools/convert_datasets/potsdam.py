"""Convert the tiles of Potsdam to windows with masks."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.aerial.potsdam import convert_potsdam
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set (data/potsdam)', tmp_dir=True)
    parser.add_argument('dataset_path', metavar='ARCHIVES',
                        help='folder of 2_Ortho_RGB.zip and 5_Labels_all_noBoundary.zip')
    parser.add_argument('--clip-size', '--clip_size', dest='clip_size', type=int, default=512,
                        help='width and height of windows in pixels (512)')
    parser.add_argument('--stride-size', '--stride_size', dest='stride_size', type=int,
                        help='pixels from one window to the next (the size of the windows)')
    parser.add_argument('--unknown', choices=('error', 'ignore'), default='error',
                        help='what to do about colours that no class has (error)')
    args = parser.parse_args()
    counts = convert_potsdam(
        args.dataset_path, args.out_dir or 'data/potsdam', tmp_dir=args.tmp_dir, nproc=args.nproc,
        clip_size=args.clip_size, stride_size=args.stride_size, unknown=args.unknown)
    print('  '.join(f'{split}: {count:,} windows' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
