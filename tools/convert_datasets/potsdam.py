"""Convert the tiles of Potsdam to windows with masks."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.aerial.potsdam import convert_potsdam
from mmseg.datasets.converters.options import city_parser


def main() -> None:
    parser = city_parser(__doc__, 'data/potsdam',
                         'folder of 2_Ortho_RGB.zip and 5_Labels_all_noBoundary.zip')
    counts = convert_potsdam(**vars(parser.parse_args()))
    print('  '.join(f'{split}: {count:,} windows' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
