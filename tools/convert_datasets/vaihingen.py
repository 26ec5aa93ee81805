"""Convert the tiles of Vaihingen to windows with masks."""
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.converters.aerial.vaihingen import convert_vaihingen
from mmseg.datasets.converters.options import city_parser


def main() -> None:
    parser = city_parser(__doc__, 'data/vaihingen',
                         'folder of the archives of images and of eroded ground truth')
    counts = convert_vaihingen(**vars(parser.parse_args()))
    print('  '.join(f'{split}: {count:,} windows' for split, count in counts.items()))


if __name__ == '__main__':
    sys.exit(run_command(main))
