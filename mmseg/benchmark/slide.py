"""`slide`: inference by overlapping windows."""
import argparse
from pathlib import Path

from .computing import prepared_config
from .infer import inference_section
from .section import Section


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """As `infer`, with windows of --crop every --stride pixels."""
    cfg = prepared_config(args)
    cfg.pop('test_cfg', None)
    cfg.model.test_cfg = dict(mode='slide', crop_size=tuple(args.crop), stride=tuple(args.stride))
    what = (f'slide inference (windows of {args.crop[0]} x {args.crop[1]} every '
            f'{args.stride[0]} x {args.stride[1]})')
    return [inference_section(args, folder, cfg, what)]
