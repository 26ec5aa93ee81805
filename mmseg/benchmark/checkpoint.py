"""`checkpoint`: how long a save keeps the training loop waiting."""
import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from mmcv_replace.device import resolve_device, synchronize
from mmcv_replace.runner import BaseRunner, CheckpointHook
from mmseg.apis.cli import load_config
from mmseg.apis.process import start_process

from .inputs import channels_of, classes_of, write_batch, write_config, write_weights
from .plain import plain_options
from .section import Section
from .steps import load_model, prepared_config
from .train import FixedBatches, make_runner

# The steps between the saves are not measured and may be small.
SMALL = (64, 64)


def plan(args: argparse.Namespace, folder: Path) -> list[Section]:
    """Weights and momentum of the config's model, saved after a step."""
    cfg = prepared_config(args)
    device = resolve_device(args.device)
    return [Section(
        title=f'checkpoint: time the loop waits for a save, {Path(args.config).stem} on {device}',
        case='checkpoint',
        options={'config': write_config(cfg, folder), 'weights': write_weights(cfg, folder),
                 'batch': write_batch(folder, 2, SMALL, classes_of(cfg), channels_of(cfg)),
                 'device': str(device), 'folder': str(folder)},
        unit='save', images=0, plain=plain_options(cfg) if args.plain else None)]


class CheckpointCase:
    """The toolkit's checkpoint hook, called by its runner after each step."""

    def __init__(self, config: str, weights: str, batch: str, device: str, folder: str) -> None:
        cfg = load_config(config)
        cfg.work_dir = str(Path(folder, 'own_checkpoints'))
        cfg.checkpoint_config = {**(cfg.get('checkpoint_config') or {}), 'interval': 1,
                                 'by_epoch': False, 'max_keep_ckpts': 1}
        place = start_process(cfg, device).device
        cfg.data.samples_per_gpu = 1
        self._runner = make_runner(cfg, load_model(cfg, weights), torch.zeros(1), place)
        self._batches = FixedBatches(batch, place)
        self._waited = 0.0
        for hook in self._runner.hooks:
            if isinstance(hook, CheckpointHook):
                hook.after_train_iter = self._timed(hook.after_train_iter)

    def _timed(self, save: Callable[[BaseRunner], None]) -> Callable[[BaseRunner], None]:
        def call(runner: BaseRunner) -> None:
            synchronize(runner.device)
            start = time.perf_counter()
            save(runner)
            self._waited = time.perf_counter() - start
        return call

    def _step(self) -> Path:
        """One step with its save; returns the file as soon as it is complete."""
        self._runner.train(self._batches)
        self._runner.saver.wait()
        return Path(self._runner.work_dir, f'iter_{self._runner.iter}.pth')

    def check(self) -> dict[str, np.ndarray]:
        """How many values the file keeps of the weights and of the momentum."""
        loaded = torch.load(self._step(), weights_only=True)
        momentum = loaded['optimizer']['state'].values()
        return {'weights': np.array(sum(map(torch.numel, loaded['state_dict'].values()))),
                'momentum': np.array(sum(item['momentum_buffer'].numel() for item in momentum))}

    def round(self) -> float:
        """Seconds that the hook kept the loop waiting."""
        self._step()
        return self._waited
