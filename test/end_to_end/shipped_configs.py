"""The shipped configs, read once a process, and what the tests of all of them share."""
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mmcv_replace.utils import Config
from mmseg.apis import load_config
from mmseg.models.builder import BACKBONES, HEADS, LOSSES, NECKS, SEGMENTORS

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


def skip_without_parts(model: dict) -> None:
    """Skip where a model has a type that no registry knows yet.

    One that a wrong registry knows is an error of the model that is built.
    """
    registries = (BACKBONES, HEADS, LOSSES, NECKS, SEGMENTORS)
    absent = {kind for kind in component_types(model)
              if not any(kind in registry for registry in registries)}
    if absent:
        pytest.skip(f'not registered: {", ".join(sorted(absent))}')


def component_types(model: dict) -> Iterator[str]:
    """The types of the segmentor, its parts, and their losses."""
    yield model['type']
    yield model['backbone']['type']
    if 'neck' in model:
        yield model['neck']['type']
    for head in heads_of(model):
        yield head['type']
        yield from (loss['type'] for name, loss in head.items()
                    if name.startswith('loss_') and isinstance(loss, dict))


def heads_of(model: dict) -> Iterator[dict]:
    """The decode heads and auxiliary heads."""
    for key in ('decode_head', 'auxiliary_head'):
        heads = model.get(key) or []
        yield from [heads] if isinstance(heads, dict) else heads
