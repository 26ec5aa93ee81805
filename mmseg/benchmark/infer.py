"""`infer` and `slide`: from images on the device to label maps in host memory."""
import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmcv_replace.runner import precision_from_config
from mmseg.apis.acceleration import prepare_inference
from mmseg.apis.cli import load_config
from mmseg.apis.model import wrap_model

from .plain import plain_options
from .section import Section
from .steps import StepCase, load_batch, load_model, prepared_config, step_section


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """The same images through the same weights, for `slide` by windows of --crop every --stride."""
    cfg = prepared_config(args)
    what = 'inference'
    if args.command == 'slide':
        cfg.pop('test_cfg', None)
        cfg.model.test_cfg = dict(mode='slide', crop_size=tuple(args.crop),
                                  stride=tuple(args.stride))
        what = (f'slide inference (windows of {args.crop[0]} x {args.crop[1]} every '
                f'{args.stride[0]} x {args.stride[1]})')
    plain = None
    if args.plain:
        slide = {key: list(value) for key, value in cfg.model.test_cfg.items() if key != 'mode'}
        plain = {'network': plain_options(cfg)['network'], 'slide': slide or None}
    return [step_section(args, folder, cfg, what, calibrate=True, case='infer',
                         unit='batch' if args.batch > 1 else 'image', plain=plain)]


class InferCase(StepCase):
    """The toolkit's model as tools/test.py wraps and calls it."""

    def __init__(self, config: str, batch: str, device: str, weights: str, dtype: str,
                 steps: int) -> None:
        cfg = load_config(config)
        super().__init__(cfg, device, dtype, steps)
        precision = precision_from_config(cfg, self.place)
        model = prepare_inference(load_model(cfg, weights), cfg, self.place)
        self._model = wrap_model(model, self.place, False, precision).eval()
        self._img = load_batch(batch, self.place)['img']
        shape = (*self._img.shape[2:], 3)
        self._metas = [{'ori_shape': shape, 'img_shape': shape, 'pad_shape': shape, 'flip': False,
                        'filename': f'image {i}'} for i in range(len(self._img))]

    def step(self) -> list[np.ndarray]:
        """Label maps of the batch, [H, W] each."""
        with torch.inference_mode():
            return self._model(return_loss=False, rescale=True, img=[self._img],
                               img_metas=[self._metas])

    def check(self) -> dict[str, np.ndarray]:
        """The label maps, [N, H, W]."""
        return {'labels': np.stack(self.step()).astype(np.int64)}

    def state(self) -> Iterator[Tensor]:
        """Weights, statistics and images."""
        yield from self._model.parameters()
        yield from self._model.buffers()
        yield self._img
