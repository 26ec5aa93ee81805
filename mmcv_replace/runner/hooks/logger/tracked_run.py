"""What a tracker is told of a run when it begins."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....utils import Config
from ...base_runner import BaseRunner
from .tracker_state import TrackerState


@dataclass
class TrackedRun:
    """A run as a tracker shows it."""

    name: str | None  # of the work directory
    work_dir: str | None
    run_id: str | None  # stays the same when the run is resumed
    config: dict[str, Any]  # nested, of plain values: None, numbers, text, lists
    environment: dict[str, str]
    texts: dict[str, str]  # config and environment as files, by name
    state: TrackerState

    def parameters(self) -> dict[str, Any]:
        """The config as one level of names with dots; lists are text."""
        return _flat(self.config)


def tracked_run(runner: BaseRunner, hook: str) -> TrackedRun:
    """The run of a runner; `hook`: the name under which its tracker notes its state."""
    meta, work_dir = runner.meta, runner.work_dir
    text, environment = meta.get('config'), meta.get('env_info')
    facts = dict(line.split(': ', 1) for line in str(environment or '').splitlines()
                 if ': ' in line)
    facts |= {key: str(meta[key]) for key in ('seed', 'exp_name', 'mmseg_version', 'world_size')
              if key in meta}
    texts = {'config.py': text, 'environment.txt': environment}
    run_id = meta.get('run_id')
    return TrackedRun(
        name=None if work_dir is None else Path(work_dir).name, work_dir=work_dir, run_id=run_id,
        config=_config_of(meta), environment=facts,
        texts={name: str(content) for name, content in texts.items() if content},
        state=TrackerState(work_dir, hook, run_id))


def _config_of(meta: dict[str, Any]) -> dict[str, Any]:
    """The config in the meta data: `config_dict`, or read from the text `config`; {} if none."""
    if isinstance(meta.get('config_dict'), dict):
        return _plain(meta['config_dict'])
    text = meta.get('config')
    return _plain(Config.fromstring(text, '.py').to_dict()) if isinstance(text, str) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _flat(tree: dict[str, Any], place: str = '') -> dict[str, Any]:
    found = {}
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f'{place}{key}.')
        else:
            found[place + key] = str(value) if isinstance(value, list | dict) else value
    return found
