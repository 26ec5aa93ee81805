"""Exports with a part that is changed or lacking: an import, or an error that names the file."""
import copy
import json

import numpy as np
import pytest

from mmcv_replace.utils.errors import UserError
from mmseg.datasets.importers import Options, import_dataset

from .exports import EXPORTS

JUNK = [None, True, -1, 0, 1.5, 10 ** 30, float('nan'), float('inf'), '', 'x', '../x', 'a\0b', [],
        {}, [[]], [[1, 2]], [None], {'a': 1}]


def mutated(data, random):
    """A copy of JSON data in which one value is another one, or lacks."""
    data = copy.deepcopy(data)
    node = data
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return data
        key = keys[random.integers(len(keys))]
        if isinstance(node[key], dict | list) and random.random() < 0.8:
            node = node[key]
            continue
        if random.random() < 0.3:
            del node[key]
        else:
            node[key] = copy.deepcopy(JUNK[random.integers(len(JUNK))])
        return data


def changed(content, random):
    """Bytes in which a few are others, or a piece lacks."""
    start, length = random.integers(len(content)), random.integers(1, 9)
    other = b'' if random.random() < 0.4 else bytes(random.integers(32, 127, length).tolist())
    return content[:start] + other + content[start + length:]


@pytest.mark.parametrize('name', EXPORTS)
def test_mutations(tmp_path, name):
    tool, write = EXPORTS[name]
    (tmp_path / 'export').mkdir()
    source = write(tmp_path / 'export')
    files = sorted(path for path in (tmp_path / 'export').rglob('*')
                   if path.suffix in ('.json', '.xml', '.txt', '.yaml'))
    random = np.random.default_rng(0)
    found = 0
    for number in range(30):
        path = files[random.integers(len(files))]
        content = path.read_bytes()
        path.write_bytes(
            json.dumps(mutated(json.loads(content), random)).encode()
            if path.suffix == '.json' and number % 3 else changed(content, random))
        out = tmp_path / f'out{number}'
        try:
            found += 'left out: ' in import_dataset(
                tool, source, out, Options(skip_bad=bool(number % 2)))
        except UserError:
            found += 1
            assert not out.exists()
        assert not list(tmp_path.glob('.*'))
        path.write_bytes(content)
    assert found > 5
