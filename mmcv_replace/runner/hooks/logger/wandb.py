"""Curves for Weights & Biases."""
from pathlib import Path
from typing import Any

from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class WandbLoggerHook(ServiceLoggerHook):
    """Sends scalars to Weights & Biases.

    `init_kwargs`: arguments of wandb.init. `commit`: end the step with each entry. `with_step`:
    give the number of the iteration as step, otherwise as `global_step` beside the scalars.
    `log_artifact`: send the files of the work directory that end with one of `out_suffix` after the
    run. `define_metric_cfg`: the summary ('min', 'max', 'mean', 'best' or 'last') of metrics.
    """

    def __init__(self, init_kwargs: dict[str, Any] | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, commit: bool = True,
                 by_epoch: bool = True, with_step: bool = True, log_artifact: bool = True,
                 out_suffix: str | tuple[str, ...] = ('.log.json', '.log', '.py'),
                 define_metric_cfg: dict[str, str] | None = None) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.import_wandb()
        self.init_kwargs = init_kwargs
        self.commit = commit
        self.with_step = with_step
        self.log_artifact = log_artifact
        self.out_suffix = (out_suffix,) if isinstance(out_suffix, str) else tuple(out_suffix)
        self.define_metric_cfg = define_metric_cfg

    def import_wandb(self) -> None:
        """Set `wandb` to the package."""
        self.wandb = self.load_package('wandb', 'wandb')

    @master_only
    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        self.wandb.init(**(self.init_kwargs or {}))
        for metric, summary in (self.define_metric_cfg or {}).items():
            self.wandb.define_metric(metric, summary=summary)

    @master_only
    def log(self, runner: BaseRunner) -> None:
        tags = self.get_loggable_tags(runner)
        if not tags:
            return
        if self.with_step:
            self.wandb.log(tags, step=self.get_iter(runner), commit=self.commit)
        else:
            self.wandb.log({**tags, 'global_step': self.get_iter(runner)}, commit=self.commit)

    @master_only
    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if self.log_artifact and runner.work_dir is not None:
            artifact = self.wandb.Artifact(name='artifacts', type='model')
            for path in sorted(Path(runner.work_dir).iterdir()):
                if path.name.endswith(self.out_suffix):
                    artifact.add_file(str(path))
            self.wandb.log_artifact(artifact)
        self.wandb.join()
