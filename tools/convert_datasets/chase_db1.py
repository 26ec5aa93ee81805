"""Convert CHASE DB1 to images and masks of vessels."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.chase_db1 import convert_chase_db1
from mmseg.datasets.converters.options import converter_parser


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set', 'data/CHASE_DB1', tmp_dir=True)
    parser.add_argument('dataset_path', metavar='ARCHIVE', help='CHASEDB1.zip')
    args = parser.parse_args()
    counts = convert_chase_db1(args.dataset_path, args.out_dir, args.nproc, args.tmp_dir)
    print('  '.join(f'{split}: {count} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
