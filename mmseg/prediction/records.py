"""The list of predictions, a line of JSON for each image."""
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from mmcv_replace.utils.errors import ConfigError, DataError

NAME = 'predictions.jsonl'
MASKS, OVERLAYS, SCORES = FOLDERS = ('masks', 'overlays', 'scores')  # beside it


def output_folders(out: str | Path) -> list[Path]:
    """The folders of images that a prediction makes below `out`."""
    return [Path(out, name) for name in FOLDERS]


def read_records(folder: str | Path) -> list[dict[str, Any]]:
    """The records of an earlier run in a folder; a line that was cut off is left out."""
    try:
        lines = Path(folder, NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and 'name' in record:
            records.append(record)
    return records


class RecordFile:
    """Writes the list of a run, to which its folder belongs until `close`.

    Raises ConfigError where another run is writing, and OSError for a folder that cannot be written
    to.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder, NAME)
        # Not buffered: a line is in the file when it was added, or its error tells that it is not.
        self._file: IO[bytes] = self._path.open('ab', buffering=0)
        try:
            _lock(self._file, folder)
        except ConfigError:
            self._file.close()
            raise

    def keep(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Begin with some of the records of an earlier run, and drop the rest."""
        text = b''.join(map(_line, records))
        # In place, since another file would not be locked. It grows no longer than it was, so that
        # a full disk has room for it.
        with self._path.open('r+b') as file:
            file.write(text)
            file.truncate()

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a line, which is in the file afterwards. Raises DataError where it cannot be."""
        rest = _line(record)
        try:
            while rest:  # a disk that is almost full takes a part of it
                rest = rest[self._file.write(rest):]
        except OSError as error:
            raise DataError(f'cannot write {self._path}: {error.strerror}; mend that, and go on '
                            'with --skip-existing') from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _lock(file: IO[bytes], folder: str | Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has none
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(f'another run is writing to --out {folder}: choose another folder, or '
                          'wait for its end') from error
    except OSError:  # the file system of some networks has none
        return


def _line(record: Mapping[str, Any]) -> bytes:
    # Names of other scripts are readable; bytes in names that are no UTF-8 have to be escaped.
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b'\n'
    except UnicodeEncodeError:
        return json.dumps(record).encode() + b'\n'
