"""Turn what a labelling tool exported into images, masks and a list of classes to train on.

The export is only read; images are linked (or copied to another disk), never moved. How outlines
become pixels, and which of two overlapping objects is above, is as in the tool, and is printed.
"""
import argparse
import sys
from collections.abc import Sequence

from mmseg.apis.cli import run_command
from mmseg.datasets.importers import Options, import_dataset

SOURCES = {
    'coco': 'a JSON file: polygons, RLE or panoptic (with its PNGs)',
    'labelme': 'a folder of JSON files',
    'cvat': "the unpacked folder of 'CVAT for images 1.1' or 'Segmentation mask 1.1'",
    'labelstudio': 'a JSON export: brushes, polygons, boxes, ellipses',
    'yolo': 'a folder with data.yaml or classes.txt, labels and images: polygons',
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools = parser.add_subparsers(dest='tool', required=True, metavar='TOOL')
    for tool, what in SOURCES.items():
        add_arguments(tools.add_parser(tool, help=what, description=f'SOURCE: {what}.'), tool)
    args = vars(parser.parse_args(argv))
    tool, source, out = (args.pop(name) for name in ('tool', 'source', 'out'))
    sys.stdout.reconfigure(errors='backslashreplace')  # names of files in any terminal
    print(import_dataset(tool, source, out, Options(**args)))


def add_arguments(parser: argparse.ArgumentParser, tool: str) -> None:
    parser.add_argument('source', metavar='SOURCE', help='what the tool exported')
    parser.add_argument('-o', '--out', required=True,
                        help='new folder for images, masks and classes.txt')
    parser.add_argument('--images', metavar='DIR',
                        help='folder of the images (beside the annotations)')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='classes in the order of their indices, or a file with one a line '
                             "(the tool's order, or the alphabet's where it has none)")
    parser.add_argument('--unlabelled', choices=['background', 'ignore'],
                        help='what pixels without an object are: a class, or left out of loss and '
                             'scores (background; panoptic: ignore)')
    parser.add_argument('--ignore', nargs='+', default=(), metavar='NAME',
                        help='classes that are left out of loss and scores')
    parser.add_argument('--skip-bad', action='store_true',
                        help='leave out images with a bad object or file (an error)')
    parser.add_argument('--skip-empty', action='store_true',
                        help='leave out images without an object')
    parser.add_argument('--nproc', type=int, default=1, help='number of processes (1)')
    if tool == 'coco':
        parser.add_argument('--crowd', choices=['ignore', 'class'], default='ignore',
                            help='what crowd regions are (ignore)')


if __name__ == '__main__':
    sys.exit(run_command(main))
