"""The shipped configs, read once a process, and what the tests of all of them share."""
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mmcv_replace.utils import Config
from mmseg.apis import load_config

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(str(file.relative_to(ROOT / 'configs').with_suffix(''))
               for file in (ROOT / 'configs').glob('[!_]*/*.py'))
FOLDERS = sorted({name.split('/')[0] for name in NAMES})
HASHES = json.loads((ROOT / 'test/fixtures/state_dict_hashes.json').read_text())


@cache
def config_of(name: str) -> Config:
    """The config `configs/NAME.py`; tests must not change it."""
    return load_config(ROOT / 'configs' / f'{name}.py')


def names_in(folder: str) -> list[str]:
    return [name for name in NAMES if name.split('/')[0] == folder]


def heads_of(model: dict) -> Iterator[dict]:
    """The decode heads and auxiliary heads."""
    for key in ('decode_head', 'auxiliary_head'):
        heads = model.get(key) or []
        yield from [heads] if isinstance(heads, dict) else heads
