"""Curves for Pavi."""
import json
from pathlib import Path
from typing import Any

import torch

from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class PaviLoggerHook(ServiceLoggerHook):
    """Sends scalars to Pavi.

    `init_kwargs`: arguments of its SummaryWriter. `add_graph`: send the model's graph, for the
    first batch of the training, whose images are the entry `img_key`. `add_last_ckpt`: send the
    last checkpoint after the run. With `add_graph_kwargs` and `add_ckpt_kwargs`: dicts with
    `active`, and for the graph `img_key`.
    """

    def __init__(self, init_kwargs: dict[str, Any] | None = None, add_graph: bool | None = None,
                 img_key: str | None = None, add_last_ckpt: bool = False, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, by_epoch: bool = True,
                 add_graph_kwargs: dict[str, Any] | None = None,
                 add_ckpt_kwargs: dict[str, Any] | None = None) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        graph, checkpoint = add_graph_kwargs or {}, add_ckpt_kwargs or {}
        self.init_kwargs = dict(init_kwargs or {})
        self.add_graph = graph.get('active', False) if add_graph is None else add_graph
        self.img_key = img_key or graph.get('img_key', 'img')
        self.add_last_ckpt = add_last_ckpt
        self.add_ckpt = checkpoint.get('active', False)
        self.add_ckpt_interval = checkpoint.get('interval', 1)
        self.writer: Any = None

    @master_only
    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        package = self.load_package('pavi', 'pavi')
        self.run_name = Path(runner.work_dir or '.').name
        options = {'name': self.run_name, 'model': runner.model_name, **self.init_kwargs}
        if 'config_dict' in runner.meta:
            config = {**runner.meta['config_dict'], 'max_iter': runner.max_iters}
            options.setdefault('session_text', json.dumps(config, indent=2, default=str))
        self.writer = package.SummaryWriter(**options)

    def get_step(self, runner: BaseRunner) -> int:
        """The number of the epoch for a validation by epoch, otherwise of the iteration."""
        by_epoch = self.by_epoch and self.get_mode(runner) == 'val'
        return self.get_epoch(runner) if by_epoch else self.get_iter(runner)

    @master_only
    def log(self, runner: BaseRunner) -> None:
        tags = self.get_loggable_tags(runner, add_mode=False)
        if tags:
            self.writer.add_scalars(self.get_mode(runner), tags, self.get_step(runner))

    @master_only
    def before_train_iter(self, runner: BaseRunner) -> None:
        super().before_train_iter(runner)
        if self.add_graph:
            self.add_graph = False  # once
            self._send_graph(runner)

    def _send_graph(self, runner: BaseRunner) -> None:
        batch = runner.data_batch
        images = batch[self.img_key] if isinstance(batch, dict) else batch
        model, training = runner.unwrapped_model, runner.model.training
        model.eval()
        with torch.no_grad():
            self.writer.add_graph(model, images[:1].to(runner.device))
        model.train(training)

    def after_train_epoch(self, runner: BaseRunner) -> None:
        super().after_train_epoch(runner)
        if self.add_ckpt and self.by_epoch and self.every_n_epochs(runner, self.add_ckpt_interval):
            self._send_checkpoint(runner, runner.epoch + 1)

    @master_only
    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if self.writer is None:
            return
        if self.add_last_ckpt:
            runner.saver.wait()
            self._send_checkpoint(runner, runner.epoch if self.by_epoch else runner.iter)
        self.writer.close()

    @master_only
    def _send_checkpoint(self, runner: BaseRunner, iteration: int) -> None:
        path = runner.hook_msgs.get('last_ckpt')
        if path is not None and Path(path).is_file():
            self.writer.add_snapshot_file(tag=self.run_name, snapshot_file_path=str(path),
                                          iteration=iteration)
