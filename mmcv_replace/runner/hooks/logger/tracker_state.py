"""What a tracker notes in the work directory for the next process of the same run."""
import json
from pathlib import Path
from typing import Any

from ....fileio import atomic_write
from ....utils import warn_once


class TrackerState:
    """The file `.NAME.json` of a work directory: the tracker's own id of the run, the last step.

    `get` knows what was noted for the same `run_id`; without one, or without a `work_dir`, nothing.
    """

    def __init__(self, work_dir: str | None, name: str, run_id: str | None) -> None:
        self._file = None if work_dir is None or run_id is None else Path(work_dir, f'.{name}.json')
        self._facts: dict[str, Any] = {'run_id': run_id}
        known = {} if self._file is None else _read(self._file)
        if known.get('run_id') == run_id:
            self._facts |= known

    def get(self, name: str, default: Any = None) -> Any:
        return self._facts.get(name, default)

    def note(self, **facts: Any) -> None:
        """Add facts and write the file; a warning if that fails."""
        self._facts |= facts
        if self._file is None:
            return
        try:
            with atomic_write(self._file, 'w', sync=False) as file:
                json.dump(self._facts, file)
        except OSError as error:
            warn_once(f'{self._file} cannot be written ({error}): a resumed run will be another '
                      'one in the tracker')


def _read(file: Path) -> dict[str, Any]:
    try:
        known = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError):  # none yet, or a damaged one
        return {}
    return known if isinstance(known, dict) else {}
