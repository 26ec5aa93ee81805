"""Decides which checkpoints in a folder a run may delete: its own ones only."""
import re
from pathlib import Path

from ...utils.errors import CheckpointError
from ..base_runner import BaseRunner
from .files import read_meta


class OwnCheckpoints:
    """The checkpoints of a run in a folder, named by `filename_tmpl` and a number.

    Existing files belong to the run if they have its id or, up to the checkpoint that was resumed,
    the id of the run that wrote that one. `others`: checkpoints of other runs, best ones too, which
    are never deleted.
    """

    def __init__(self, runner: BaseRunner, folder: Path, filename_tmpl: str) -> None:
        self._numbers: dict[Path, int] = {}
        self.others: list[Path] = []
        pattern = re.escape(filename_tmpl).replace(r'\{\}', r'(\d+)')
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            match = re.fullmatch(pattern, path.name)
            named = match or (path.name.startswith('best_') and path.suffix == '.pth')
            if named and not path.is_symlink() and path.is_file():
                if not _is_own(runner, path):
                    self.others.append(path)
                elif match:
                    self._numbers[path] = int(match[1])

    def add(self, path: Path, number: int) -> None:
        """Register a file that the run has written."""
        self._numbers[path] = number
        if path in self.others:
            self.others.remove(path)

    def beyond(self, keep: int, newest: int) -> list[Path]:
        """The outdated files: all up to the number `newest`, without the last `keep` of them."""
        files = sorted((number, path) for path, number in self._numbers.items()
                       if number <= newest and path.exists())
        return [path for _, path in files[:-keep]]


def _is_own(runner: BaseRunner, path: Path) -> bool:
    if runner.iter == 0:  # nothing was resumed
        return False
    try:
        meta = read_meta(path).get('meta')
    except CheckpointError:
        return False
    if not isinstance(meta, dict) or not isinstance(meta.get('iter'), int):
        return False
    run_id = meta.get('run_id')
    goes_on = run_id is not None and run_id == runner.meta.get('run_id')
    return goes_on or (run_id == runner.resumed_run and meta['iter'] <= runner.iter)
