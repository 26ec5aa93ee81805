"""SwanLab: curves, pictures, settings and files of a run."""
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...hook import HOOKS
from .cloud_tracker import CloudTrackerHook
from .tracked_run import TrackedRun
from .tracker_names import TrackerNames

OLDER = {'experiment_name': 'name', 'logdir': 'log_dir'}  # names of arguments


@HOOKS.register_module()
class SwanlabLoggerHook(CloudTrackerHook):
    """Shows a run in SwanLab, see CloudTrackerHook and TrackerHook.

    `init_kwargs`: arguments of swanlab.init, before ours. `tracking`: options of TrackerHook.
    """

    package = 'swanlab'
    other_modes = ('offline', 'local', 'cloud', 'disabled')  # cloud: of older versions
    # And keeps what it is given in memory for a while, which a process that is killed loses.
    drops_repeated = True

    def __init__(self, init_kwargs: dict[str, Any] | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, by_epoch: bool = True,
                 **tracking: Any) -> None:
        super().__init__(init_kwargs, interval, ignore_last, reset_flag, by_epoch, **tracking)
        self.swanlab = self.load_package('swanlab', 'swanlab')
        self.check_arguments('init_kwargs', self.swanlab.init, init_kwargs)

    def chosen_mode(self) -> str | None:
        chosen = (self.init_kwargs or {}).get('mode') or os.environ.get('SWANLAB_MODE')
        kept = self.swanlab.Settings().mode  # by `swanlab offline` or `swanlab local`
        return chosen or (kept if kept in ('offline', 'local', 'disabled') else None)

    def has_key(self) -> bool:
        return bool(self.swanlab.Settings().api_key)

    def options_of(self, run: TrackedRun) -> dict[str, Any]:
        own = {'name': run.name, 'id': run.state.get('id', run.run_id)}
        if run.work_dir is not None:
            own['log_dir'] = str(Path(run.work_dir, 'swanlog'))
        given = self.init_kwargs or {}
        if own['id'] is not None and 'id' not in given:
            own['resume'] = 'allow'
        replaced = {OLDER[name] for name in given if name in OLDER}
        return {name: value for name, value in own.items()
                if value is not None and name not in replaced}

    def connect(self, options: dict[str, Any]) -> None:
        self._names = TrackerNames(r'[\x00-\x1f\x7f]')
        self._current = self.swanlab.init(**options)

    def disconnect(self) -> None:
        if self.swanlab.has_run():
            self.swanlab.finish()

    def run_id(self) -> str:
        return self._current.id

    def send_settings(self, run: TrackedRun) -> None:
        self.swanlab.log({name: self.swanlab.Text(text) for name, text in run.texts.items()},
                         step=0)

    def where(self) -> tuple[bool, str]:
        online = self._current.mode == 'online'
        return online, str(self._current.url if online else self._current.dir)

    def send_scalars(self, step: int, scalars: dict[str, Any]) -> None:
        self.swanlab.log({self._names[name]: float(value) for name, value in scalars.items()},
                         step=step)

    def send_picture(self, step: int, name: str, caption: str, picture: np.ndarray) -> None:
        image = self.swanlab.Image(picture, caption=caption)
        self.swanlab.log({self._names[name]: image}, step=step)

    def send_checkpoint(self, path: str, kind: str) -> None:
        self.swanlab.save(path, base_path=str(Path(path).parent), policy='now')

    def finish(self, error: BaseException | None) -> None:
        if error is None:
            self.swanlab.finish()
        elif isinstance(error, Exception):
            self.swanlab.finish(state='crashed', error=f'{type(error).__name__}: {error}')
        else:  # asked to stop
            self.swanlab.finish(state='aborted')
