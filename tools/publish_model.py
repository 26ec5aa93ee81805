"""Write a checkpoint for others: weights, classes, config; the name ends in a hash of the content.

python tools/publish_model.py work_dirs/x/latest.pth pspnet_r50.pth   # pspnet_r50-1a2b3c4d.pth
The optimizer and everything else that only a training needs is left out.
"""
import argparse
import sys
from collections.abc import Sequence

from mmcv_replace.runner.checkpoints.portable import publish_model
from mmseg.apis.cli import run_command


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('in_file', help='checkpoint')
    parser.add_argument('out_file', help='file to write; -HASH is added to its name')
    parser.add_argument('--averaged', '--ema', action='store_true',
                        help='publish the averaged weights (EMAHook)')
    parser.add_argument('--safetensors', action='store_true',
                        help='write a .safetensors file, which holds no Python objects')
    args = parser.parse_args(argv)
    print(publish_model(args.in_file, args.out_file, args.averaged, args.safetensors))


if __name__ == '__main__':
    sys.exit(run_command(main))
