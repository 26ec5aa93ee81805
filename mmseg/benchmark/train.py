"""`train`: one step of the training, as tools/train.py makes it."""
import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.utils.data import DataLoader

from mmcv_replace.device import set_kernel_search, synchronize
from mmcv_replace.runner import IterBasedRunner
from mmcv_replace.runner.builder import RUNNERS
from mmcv_replace.runner.iter_loader import IterLoader
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import load_config
from mmseg.apis.process import start_process
from mmseg.apis.train import train_segmentor
from mmseg.datasets import build_dataset
from mmseg.models import build_segmentor

from .computing import prepared_config, resolved
from .inputs import write_batch, write_config, write_weights
from .plain import CAREFUL, plain_options
from .section import Section


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """One step on the same batch of the same weights; with --from-jpegs also on real data."""
    cfg = prepared_config(args)
    device, dtype = resolved(args)
    batch = write_batch(folder, args.batch, args.size, cfg.model.decode_head.num_classes)
    variants = {}
    if args.from_jpegs is not None:
        variants['fed from JPEGs'] = {'data_root': args.from_jpegs, 'workers': args.workers}
    amp = '' if dtype == 'float32' else f', {dtype}'
    return [Section(
        title=f'training step: {args.batch} x {args.size[0]} x {args.size[1]}, '
              f'{Path(args.config).stem} on {device}{amp}',
        case='train',
        options={'config': write_config(cfg, folder), 'batch': batch, 'device': str(device),
                 'weights': write_weights(cfg, folder), 'dtype': dtype,
                 'steps': args.steps or (1 if device.type == 'cpu' else 20)},
        unit='step',
        images=args.batch,
        own={'work_dir': str(folder / 'work')},
        variants=variants,
        plain=plain_options(cfg) if args.plain else None,
        plain_variants=CAREFUL)]


@RUNNERS.register_module()
class SteppedRunner(IterBasedRunner):
    """Stops where the training would begin, so that its iterations can be made one by one."""

    loaders: list[DataLoader]

    def run(self, data_loaders: list[DataLoader], workflow: list, max_iters: int | None = None,
            ) -> None:
        """Get ready to train."""
        self.loaders = list(data_loaders)
        self.call_hook('before_run')
        self.call_hook('before_epoch')


class FixedBatches:
    """The same batch again and again; it is on the device already."""

    epoch = 0

    def __init__(self, batch: Mapping[str, Any]) -> None:
        self.batch = dict(batch)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        return dict(self.batch)


def make_runner(cfg: Config, model: nn.Module, data: Any, device: torch.device) -> SteppedRunner:
    """All that tools/train.py makes for a training, up to its first iteration."""
    length = (cfg.get('runner') or {}).get('max_iters', 20000)
    cfg.runner = dict(type='SteppedRunner', max_iters=length)
    cfg.workflow = [('train', 1)]
    cfg.load_from = cfg.resume_from = None
    set_kernel_search(bool(cfg.get('cudnn_benchmark')))
    return train_segmentor(model, data, cfg, device=device)


def load_model(cfg: Config, weights: str) -> nn.Module:
    """The config's model with the weights of a file."""
    model = build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
    model.load_state_dict(torch.load(weights, weights_only=True))
    return model


class TrainCase:
    """The toolkit's own training step. `data_root`: feed it from the files of the config."""

    def __init__(self, config: str, batch: str, device: str, weights: str, dtype: str, steps: int,
                 work_dir: str, data_root: str | None = None, workers: int = 0) -> None:
        cfg = load_config(config, data_root=data_root)
        cfg.work_dir = work_dir
        cfg.checkpoint_config = None
        process = start_process(cfg, device)
        self.device = str(process.device)
        self.about = {'dtype': dtype}
        self._where = process.device
        self._steps = steps
        if dtype != 'float32':
            cfg.fp16 = dict(opt_level='O1', dtype=dtype)
        with np.load(batch) as arrays:
            img, label = (torch.from_numpy(arrays[name]) for name in ('img', 'label'))
        cfg.data.samples_per_gpu = len(img)
        cfg.data.workers_per_gpu = workers
        real = data_root is not None
        self.runner = make_runner(cfg, load_model(cfg, weights),
                                  build_dataset(cfg.data.train) if real else img, process.device)
        if real:
            self._lead_in = 2 * workers
            self._batches = IterLoader(self.runner.loaders[0])
            self._check_size(img.shape)
        else:
            self._lead_in = 0
            self._batches = FixedBatches({
                'img': img.to(process.device), 'img_metas': [{}] * len(img),
                'gt_semantic_seg': label[:, None].long().to(process.device)})

    def _check_size(self, shape: torch.Size) -> None:
        found = next(self._batches)['img'].data[0].shape
        if found != shape:
            raise ConfigError(
                f'--from-jpegs: data.train gives batches of {tuple(found)}, and those in memory '
                f'have {tuple(shape)}: choose --size {found[2]} {found[3]}')

    def check(self) -> dict[str, np.ndarray]:
        """Losses of two steps without dropout; the second shows that gradients and step agree."""
        dropouts = [module for module in self.runner.model.modules()
                    if isinstance(module, _DropoutNd)]
        shares = [module.p for module in dropouts]
        for module in dropouts:
            module.p = 0.0
        losses = []
        for _ in range(2):
            self.step()
            losses.append(self.runner.outputs['loss'].item())
        for module, share in zip(dropouts, shares, strict=True):
            module.p = share
        # Other images have other losses.
        return {'loss': np.array(losses)} if isinstance(self._batches, FixedBatches) else {}

    def step(self) -> None:
        """One iteration with all its hooks."""
        self.runner.train(self._batches)

    def round(self) -> float:
        """Seconds a step, of several."""
        # Batches that the workers have made while others were measured would be a present.
        for _ in range(self._lead_in):
            self.step()
        synchronize(self._where)
        start = time.perf_counter()
        for _ in range(self._steps):
            self.step()
        synchronize(self._where)
        return (time.perf_counter() - start) / self._steps

    def state(self) -> Iterator[Tensor]:
        """Weights, statistics, the optimizer's memory and the batch."""
        yield from self.runner.model.parameters()
        yield from self.runner.model.buffers()
        for values in self.runner.optimizer.state.values():
            yield from (value for value in values.values() if isinstance(value, Tensor))
        if isinstance(self._batches, FixedBatches):
            yield from (value for value in self._batches.batch.values()
                        if isinstance(value, Tensor))
