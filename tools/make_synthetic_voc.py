"""Write a synthetic data set in the layout of Pascal VOC 2012 and SBD (21 classes).

Then convert SBD's part: python tools/convert_datasets/voc_aug.py OUT OUT/VOCaug
"""
import argparse
import sys

from mmseg.apis.cli import run_command
from mmseg.datasets.synthetic import SplitSizes, make_devkit


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', metavar='OUT', help='folder to write, such as data/synthetic')
    parser.add_argument('--train', type=int, default=240, help='images in train.txt (240)')
    parser.add_argument('--val', type=int, default=60, help='images in val.txt (60)')
    parser.add_argument('--aug', type=int, default=160, help='images that only SBD has (160)')
    parser.add_argument('--size', type=int, default=160, help='longer side in pixels (160)')
    parser.add_argument('--seed', type=int, default=0, help='another seed, other scenes (0)')
    parser.add_argument('--nproc', type=int, default=1, help='number of processes (1)')
    args = parser.parse_args()
    sizes = SplitSizes(args.train, args.val, args.aug)
    make_devkit(args.out, sizes, args.size, args.seed, args.nproc)
    print(f'{args.out}: {args.train} images to train on, {args.val} to validate on, '
          f'{args.aug} more in VOCaug')


if __name__ == '__main__':
    sys.exit(run_command(main))
