"""Convert a checkpoint between mmsegmentation 0.x and 1.x, torchvision and timm.

python tools/convert_checkpoint.py resnet50-0676ba61.pth resnet50_ours.pth --to 0.x
The format of the input is recognised. torchvision and timm have backbones only: ResNet, ResNeXt,
ResNeSt, MobileNetV2, MobileNetV3 and HRNet. The output is a .pth or a .safetensors file.
"""
import argparse
import logging
import sys
from collections.abc import Sequence

from mmcv_replace.runner.checkpoints.conversion import FORMATS, convert_checkpoint
from mmseg.apis.cli import run_command


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('in_file', help='checkpoint, or a name such as torchvision://resnet50')
    parser.add_argument('out_file', help='file to write')
    parser.add_argument('--to', required=True, choices=FORMATS, help='format to write')
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    print(convert_checkpoint(args.in_file, args.out_file, args.to))


if __name__ == '__main__':
    sys.exit(run_command(main))
