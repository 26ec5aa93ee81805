"""Weights & Biases: curves, pictures, settings and files of a run."""
import netrc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ...hook import HOOKS
from .cloud_tracker import CloudTrackerHook
from .tracked_run import TrackedRun
from .tracker import FINISH

ANSWER = 15.0  # seconds in which the server has to answer at the start
KEPT = 1.0  # seconds after which what was logged outlives a process that is killed


@HOOKS.register_module()
class WandbLoggerHook(CloudTrackerHook):
    """Shows a run in Weights & Biases, see CloudTrackerHook and TrackerHook.

    `init_kwargs`: arguments of wandb.init, before ours. `commit`: end the step with each entry.
    `with_step`: give the number of the iteration as step, otherwise as `global_step` beside the
    scalars. `log_artifact`: send the files of the work directory that end with one of `out_suffix`
    after the run. `define_metric_cfg`: the summary ('min', 'max', 'mean', 'best' or 'last') of
    metrics. `tracking`: options of TrackerHook.
    """

    package = 'wandb'
    online = ('online', 'run', 'shared')
    other_modes = ('offline', 'dryrun', 'disabled')

    def __init__(self, init_kwargs: dict[str, Any] | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, commit: bool = True,
                 by_epoch: bool = True, with_step: bool = True, log_artifact: bool = True,
                 out_suffix: str | tuple[str, ...] = ('.log.json', '.log', '.py'),
                 define_metric_cfg: dict[str, str] | None = None, **tracking: Any) -> None:
        super().__init__(init_kwargs, interval, ignore_last, reset_flag, by_epoch, **tracking)
        self.import_wandb()
        self.commit = commit
        self.with_step = with_step
        self.log_artifact = log_artifact
        self.out_suffix = (out_suffix,) if isinstance(out_suffix, str) else tuple(out_suffix)
        self.define_metric_cfg = define_metric_cfg
        self.check_arguments('init_kwargs', self.wandb.init, init_kwargs)

    def import_wandb(self) -> None:
        """Set `wandb` to the package."""
        self.wandb = self.load_package('wandb', 'wandb')

    def chosen_mode(self) -> str | None:
        options = self.init_kwargs or {}
        settings = options.get('settings') or {}
        inner = settings.get('mode') if isinstance(settings, dict) else None
        chosen = options.get('mode') or inner or os.environ.get('WANDB_MODE')
        kept = self.wandb.setup().settings.mode  # by `wandb offline`
        return chosen or (kept if kept in ('offline', 'disabled') else None)

    def has_key(self) -> bool:
        settings = self.wandb.setup().settings
        if settings.api_key or getattr(settings, 'identity_token_file', None):
            return True
        file = os.environ.get('NETRC') or os.path.expanduser('~/.netrc')
        try:
            host = urlsplit(settings.base_url).hostname
            return netrc.netrc(file).authenticators(host) is not None
        except (OSError, netrc.NetrcParseError):
            return False

    def options_of(self, run: TrackedRun) -> dict[str, Any]:
        own = {'dir': run.work_dir, 'name': run.name, 'id': run.state.get('id', run.run_id),
               'allow_val_change': True}
        given = self.init_kwargs or {}
        if own['id'] is not None and not {'id', 'resume_from', 'fork_from'} & given.keys():
            own['resume'] = 'allow'
        return {name: value for name, value in own.items() if value is not None}

    def connect(self, options: dict[str, Any]) -> None:
        settings = options.get('settings') or {}
        if isinstance(settings, dict):
            limits = {'init_timeout': ANSWER, 'login_timeout': ANSWER,
                      'finish_timeout': (FINISH if self.finish_timeout is None
                                         else self.finish_timeout),
                      'x_transaction_log_flush_interval': KEPT}
            known = getattr(self.wandb.Settings, 'model_fields', {})  # older ones have fewer
            settings = {name: value for name, value in limits.items() if name in known} | settings
        self.wandb.init(**{**options, 'settings': settings})

    def disconnect(self) -> None:
        self.wandb.teardown()  # otherwise the id of the run counts as in use

    def run_id(self) -> str:
        return self.wandb.run.id

    def where(self) -> tuple[bool, str]:
        current = self.wandb.run
        if current.offline:
            return False, str(Path(current.dir).parent)
        return True, str(current.url)

    def send_settings(self, run: TrackedRun) -> None:
        for metric, summary in (self.define_metric_cfg or {}).items():
            self.wandb.define_metric(metric, summary=summary)
        folder = self.wandb.run.dir
        for name, text in run.texts.items():
            path = Path(folder, name)
            path.write_text(text, encoding='utf-8')
            self.wandb.save(str(path), base_path=folder, policy='now')

    def send_scalars(self, step: int, scalars: dict[str, Any]) -> None:
        if self.with_step:
            self.wandb.log(scalars, step=step, commit=self.commit)
        else:
            self.wandb.log({**scalars, 'global_step': step}, commit=self.commit)

    def send_picture(self, step: int, name: str, caption: str, picture: np.ndarray) -> None:
        where = {'step': step} if self.with_step else {}
        self.wandb.log({name: self.wandb.Image(picture, caption=caption)}, commit=False, **where)

    def send_checkpoint(self, path: str, kind: str,
                        metadata: dict[str, Any] | None = None) -> None:
        artifact = self.wandb.Artifact(name=f'run_{self.wandb.run.id}_model', type='model',
                                       metadata=metadata)
        artifact.add_file(path)
        self.wandb.log_artifact(artifact, aliases=[kind, 'latest'])

    def sends_files(self) -> bool:
        return super().sends_files() or self.log_artifact

    def send_files(self) -> None:
        if self.log_artifact and self._run.work_dir is not None:
            artifact = self.wandb.Artifact(name='artifacts', type='model')
            for path in sorted(Path(self._run.work_dir).iterdir()):
                if path.name.endswith(self.out_suffix):
                    artifact.add_file(str(path))
            self.wandb.log_artifact(artifact)

    def finish(self, error: BaseException | None) -> None:
        self.wandb.finish(exit_code=0 if error is None else 1)
