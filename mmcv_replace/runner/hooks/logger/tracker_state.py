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

    def ids(self) -> list[str]:
        """The tracker's ids of the run, the last one first; several if it once began elsewhere."""
        last = self.get('id')
        return ([] if last is None else [last]) + [*self.get('earlier', {})][::-1]

    def go_on_with(self, id_: str) -> int:
        """Note the tracker's id of the run; returns the last step that was sent to it, or -1."""
        last, step = self.get('id'), self.get('step', -1)
        if last == id_:
            return step
        earlier = {**self.get('earlier', {})}
        if last is not None:
            earlier[last] = step
        step = earlier.pop(id_, -1)
        self.note(id=id_, step=step, earlier=earlier)
        return step

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
