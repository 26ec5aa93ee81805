"""`infer`: images on the device to label maps in host memory, by one pass."""
import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmcv_replace.device import synchronize
from mmcv_replace.runner import precision_from_config
from mmcv_replace.utils import Config
from mmseg.apis.acceleration import prepare_inference
from mmseg.apis.cli import load_config
from mmseg.apis.model import wrap_model
from mmseg.apis.process import start_process

from .computing import prepared_config, resolved
from .inputs import write_batch, write_config, write_weights
from .plain import CAREFUL, plain_options
from .section import Section
from .train import load_model


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """The same images through the same weights."""
    return [inference_section(args, folder, prepared_config(args), 'inference')]


def inference_section(args: argparse.Namespace, folder: Path, cfg: Config, what: str) -> Section:
    """Inference as the config's test_cfg says, on `args.batch` images of `args.size`."""
    device, dtype = resolved(args)
    height, width = args.size
    weights = write_weights(cfg, folder, calibrate=True)
    options = {
        'config': write_config(cfg, folder), 'device': str(device), 'dtype': dtype,
        'batch': write_batch(folder, args.batch, args.size, cfg.model.decode_head.num_classes),
        'weights': weights, 'steps': args.steps or (1 if device.type == 'cpu' else 20)}
    plain = None
    if args.plain:
        slide = {key: list(value) for key, value in cfg.model.test_cfg.items() if key != 'mode'}
        plain = {'network': plain_options(cfg)['network'], 'slide': slide or None}
    amp = '' if dtype == 'float32' else f', {dtype}'
    return Section(
        title=f'{what}: {args.batch} x {height} x {width}, {Path(args.config).stem} on '
              f'{device}{amp}',
        case='infer', options=options, unit='batch' if args.batch > 1 else 'image',
        images=args.batch, plain=plain, plain_variants=CAREFUL)


class InferCase:
    """The toolkit's model as tools/test.py wraps and calls it."""

    def __init__(self, config: str, batch: str, device: str, weights: str, dtype: str,
                 steps: int) -> None:
        cfg = load_config(config)
        process = start_process(cfg, device)
        self.device = str(process.device)
        self.about = {'dtype': dtype}
        self._where = process.device
        self._steps = steps
        if dtype != 'float32':
            cfg.fp16 = dict(opt_level='O1', dtype=dtype)
        precision = precision_from_config(cfg, process.device)
        model = prepare_inference(load_model(cfg, weights), cfg, process.device)
        self._model = wrap_model(model, process.device, False, precision).eval()
        with np.load(batch) as arrays:
            self._img = torch.from_numpy(arrays['img']).to(process.device)
        shape = (*self._img.shape[2:], 3)
        self._metas = [{'ori_shape': shape, 'img_shape': shape, 'pad_shape': shape, 'flip': False,
                        'filename': f'image {i}'} for i in range(len(self._img))]

    def step(self) -> list[np.ndarray]:
        """Label maps of the batch."""
        with torch.inference_mode():
            return self._model(return_loss=False, rescale=True, img=[self._img],
                               img_metas=[self._metas])

    def check(self) -> dict[str, np.ndarray]:
        """The label maps."""
        return {'labels': np.stack(self.step()).astype(np.int64)}

    def round(self) -> float:
        """Seconds a batch, of several."""
        synchronize(self._where)
        start = time.perf_counter()
        for _ in range(self._steps):
            self.step()
        return (time.perf_counter() - start) / self._steps

    def state(self) -> Iterator[Tensor]:
        """Weights, statistics and images."""
        yield from self._model.parameters()
        yield from self._model.buffers()
        yield self._img
