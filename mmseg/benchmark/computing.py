"""On what and in which number type the subjects compute."""
import argparse

import torch

from mmcv_replace.device import low_precision_dtype, resolve_device
from mmcv_replace.utils import Config
from mmseg.apis.cli import load_config
from mmseg.apis.settings import check_settings


def prepared_config(args: argparse.Namespace) -> Config:
    """The config of the command line; weights are never downloaded."""
    cfg = load_config(args.config, args.cfg_options)
    check_settings(cfg)
    cfg.model.pretrained = None
    return cfg


def resolved(args: argparse.Namespace) -> tuple[torch.device, str]:
    """Device and name of the number type that --device and --amp choose."""
    device = resolve_device(args.device)
    if args.amp is None:
        return device, 'float32'
    if args.amp == 'auto':
        return device, name_of_type(low_precision_dtype(device))
    return device, args.amp


def name_of_type(dtype: torch.dtype) -> str:
    """'bfloat16' for torch.bfloat16."""
    return str(dtype).removeprefix('torch.')
