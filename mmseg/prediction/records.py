"""The list of predictions, a line of JSON for each image."""
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from mmcv_replace.fileio import atomic_write

NAME = 'predictions.jsonl'


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
    """Writes the list of a run, which begins with the records that an earlier one has kept."""

    def __init__(self, folder: str | Path, kept: Iterable[Mapping[str, Any]] = ()) -> None:
        path = Path(folder, NAME)
        with atomic_write(path, 'w') as file:
            file.writelines(map(_line, kept))
        self._file: IO[str] = path.open('a', encoding='utf-8')  # until close

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a line, which is in the file afterwards."""
        self._file.write(_line(record))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _line(record: Mapping[str, Any]) -> str:
    # Names of other scripts are readable; bytes in names that are no UTF-8 have to be escaped.
    line = json.dumps(record, ensure_ascii=False) + '\n'
    try:
        line.encode()
    except UnicodeEncodeError:
        line = json.dumps(record) + '\n'
    return line
