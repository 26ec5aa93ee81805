"""`train`: one step of the training, as tools/train.py makes it."""
import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.utils.data import DataLoader

from mmcv_replace.device import set_kernel_search
from mmcv_replace.runner import IterBasedRunner
from mmcv_replace.runner.builder import RUNNERS
from mmcv_replace.runner.iter_loader import IterLoader
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import load_config
from mmseg.apis.train import train_segmentor
from mmseg.datasets import build_dataset

from .plain import plain_options
from .section import Section
from .steps import StepCase, load_batch, load_model, prepared_config, step_section


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """One step on the same batch of the same weights; with --from-jpegs also on real data."""
    cfg = prepared_config(args)
    variants = {}
    if args.from_jpegs is not None:
        variants['fed from JPEGs'] = {'data_root': args.from_jpegs, 'workers': args.workers}
    return [step_section(
        args, folder, cfg, 'training step', case='train', unit='step',
        own={'work_dir': str(folder / 'work')}, variants=variants,
        plain=plain_options(cfg) if args.plain else None)]


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
    """The batch of a file again and again, on the device already."""

    epoch = 0

    def __init__(self, file: str, device: torch.device) -> None:
        arrays = load_batch(file, device)
        self.batch = {'img': arrays['img'], 'img_metas': [{}] * len(arrays['img']),
                      'gt_semantic_seg': arrays['label'][:, None].long()}

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


class TrainCase(StepCase):
    """The toolkit's own training step. `data_root`: feed it from the files of the config."""

    def __init__(self, config: str, batch: str, device: str, weights: str, dtype: str, steps: int,
                 work_dir: str, data_root: str | None = None, workers: int = 0) -> None:
        cfg = load_config(config, data_root=data_root)
        cfg.work_dir = work_dir
        cfg.checkpoint_config = None
        super().__init__(cfg, device, dtype, steps)
        fixed = FixedBatches(batch, self.place)
        shape = fixed.batch['img'].shape
        cfg.data.samples_per_gpu = len(fixed.batch['img'])
        cfg.data.workers_per_gpu = workers
        real = data_root is not None
        # Without files, the data are any object with a length.
        data = build_dataset(cfg.data.train) if real else torch.zeros(len(fixed.batch['img']))
        self.runner = make_runner(cfg, load_model(cfg, weights), data, self.place)
        self._batches = IterLoader(self.runner.loaders[0]) if real else fixed
        if real:
            # Batches that the workers made while others were measured would cost nothing.
            self.lead_in = 2 * workers
            self._check_size(shape)

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

    def state(self) -> Iterator[Tensor]:
        """Weights, statistics, the optimizer's memory and the batch."""
        yield from self.runner.model.parameters()
        yield from self.runner.model.buffers()
        tensors = list(self.runner.optimizer.state.values())
        if isinstance(self._batches, FixedBatches):
            tensors.append(self._batches.batch)
        for values in tensors:
            yield from (value for value in values.values() if isinstance(value, Tensor))
