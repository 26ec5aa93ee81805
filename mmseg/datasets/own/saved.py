"""The plan in a work directory: lists, settings and decisions, for tests and resumed runs."""
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import DataError

from .record import Plan

FOLDER = 'own_data'  # in the work directory
PLAN, TEXT = 'plan.json', 'decisions.txt'


def write_plan(plan: Plan, work_dir: str | Path) -> None:
    """Write lists, decisions and at last the plan; files that are the same already stay."""
    folder = Path(work_dir, FOLDER)
    contents = {f'{name}.txt': ''.join(f'{line}\n' for line in lines)
                for name, lines in plan.lists.items()}
    contents |= {TEXT: f'{plan.text}\n', PLAN: json.dumps(plan.to_json(), indent=1)}
    for name, content in contents.items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding='utf-8') != content:
            with atomic_write(file, 'w') as stream:
                stream.write(content)


def find_plan(folders: Iterable[str | Path | None]) -> Path | None:
    """The first of some folders that holds a plan."""
    return next((Path(folder) for folder in folders
                 if folder is not None and Path(folder, FOLDER, PLAN).is_file()), None)


def read_plan(work_dir: str | Path) -> Plan:
    """The plan in a work directory; DataError where it is damaged."""
    file = Path(work_dir, FOLDER, PLAN)
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding='utf-8'))
        return Plan.from_json(found)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f'{file} cannot be read: {error}; remove the folder {file.parent}, and the '
                        'next training looks at the data again') from error
