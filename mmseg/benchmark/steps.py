"""What the cases have in common whose round is a number of steps on a device."""
import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmcv_replace.device import low_precision_dtype, resolve_device, synchronize
from mmcv_replace.utils import Config
from mmseg.apis.cli import load_config
from mmseg.apis.process import start_process
from mmseg.apis.settings import check_settings
from mmseg.models import build_segmentor

from .inputs import channels_of, classes_of, write_batch, write_config, write_weights
from .plain import CAREFUL
from .section import Section


def prepared_config(args: argparse.Namespace) -> Config:
    """The config of the command line, without pretrained weights, which would be downloaded."""
    cfg = load_config(args.config, args.cfg_options)
    check_settings(cfg)
    cfg.model.pretrained = None
    return cfg


def step_section(args: argparse.Namespace, folder: Path, cfg: Config, what: str,
                 calibrate: bool = False, **others: Any) -> Section:
    """A comparison on `args.batch` images of `args.size`; `others` are fields of `Section`."""
    device = resolve_device(args.device)
    dtype = args.amp or 'float32'
    if dtype == 'auto':
        dtype = str(low_precision_dtype(device)).removeprefix('torch.')
    amp = '' if dtype == 'float32' else f', {dtype}'
    return Section(
        title=f'{what}: {args.batch} x {args.size[0]} x {args.size[1]}, {Path(args.config).stem} '
              f'on {device}{amp}',
        options={
            'config': write_config(cfg, folder),
            'batch': write_batch(folder, args.batch, args.size, classes_of(cfg),
                                 channels_of(cfg)),
            'weights': write_weights(cfg, folder, calibrate),
            'device': str(device),
            'dtype': dtype,
            'steps': args.steps or (1 if device.type == 'cpu' else 20)},
        images=args.batch, plain_variants=CAREFUL, **others)


class StepCase:
    """Base of the cases with a `step`: starts the process for a config, a device and a type."""

    lead_in = 0  # unmeasured steps before those of a round

    def __init__(self, cfg: Config, device: str, dtype: str, steps: int) -> None:
        self.place = start_process(cfg, device).device
        self.device = str(self.place)
        self.about = {'dtype': dtype}
        self._steps = steps
        if dtype != 'float32':
            cfg.fp16 = dict(opt_level='O1', dtype=dtype)

    def step(self) -> Any:
        """Do the work once."""
        raise NotImplementedError

    def round(self) -> float:
        """Seconds per step, the mean of several."""
        for _ in range(self.lead_in):
            self.step()
        synchronize(self.place)
        start = time.perf_counter()
        for _ in range(self._steps):
            self.step()
        synchronize(self.place)
        return (time.perf_counter() - start) / self._steps


def load_model(cfg: Config, weights: str) -> nn.Module:
    """The config's model with the weights of a file."""
    model = build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
    model.load_state_dict(torch.load(weights, weights_only=True))
    return model


def load_batch(file: str, device: torch.device) -> Mapping[str, Tensor]:
    """img [N, 3, H, W] float32 and label [N, H, W] uint8 of a file, on the device."""
    with np.load(file) as arrays:
        return {name: torch.from_numpy(arrays[name]).to(device) for name in ('img', 'label')}
