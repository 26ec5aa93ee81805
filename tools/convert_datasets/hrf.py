"""Convert HRF to images and masks of vessels."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.hrf import convert_hrf
from mmseg.datasets.converters.options import converter_parser

GROUPS = ('healthy', 'glaucoma', 'diabetic_retinopathy')


def main() -> None:
    parser = converter_parser(__doc__, 'folder of the data set', 'data/HRF', tmp_dir=True)
    archives = [name for group in GROUPS for name in (group, f'{group}_manualsegm')]
    for name in archives:
        parser.add_argument(f'{name}_path', metavar=name.upper(), help=f'{name}.zip')
    args = parser.parse_args()
    counts = convert_hrf([getattr(args, f'{name}_path') for name in archives],
                         args.out_dir, args.nproc, args.tmp_dir)
    print('  '.join(f'{split}: {count} images' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
