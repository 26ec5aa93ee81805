"""What is counted inside a subject's process, on work whose figures are known."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmcv_replace.utils.config.syntax import parse_python
from mmseg.benchmark import harness

MIB = 2**20


class Work:
    """Multiplies two matrices of 1 MiB and holds two products at a time."""

    device = 'cpu'

    def __init__(self):
        self.a = torch.randn(512, 512)
        self.b = torch.randn(512, 512)

    def step(self):
        first = self.a @ self.b
        second = first @ self.b
        del first, second
        return self.a + 1

    def state(self):
        yield from (self.a, self.b, self.a[0])


def test_operations_and_allocated_peak():
    found = harness._inspect(Work(), profile=False)
    assert found['flops'] == 2 * 2 * 512**3
    assert found['allocated_mb'] == pytest.approx(4, abs=0.1)
    assert 'profile' not in found


@pytest.mark.skipif(not hasattr(torch.ops.mkldnn, '_linear_pointwise'), reason='no oneDNN')
def test_operations_of_products_by_onednn():
    work = Work()
    work.b = work.b[:100].clone()
    work.step = lambda: torch.ops.mkldnn._linear_pointwise(work.a, work.b, None, 'none', [], '')
    assert harness._inspect(work, profile=False)['flops'] == 2 * 512 * 512 * 100


def test_profile_names_the_operators():
    found = harness._inspect(Work(), profile=True)
    assert 'aten::mm' in found['profile']
    assert set(found) == {'profile', 'flops', 'allocated_mb'}


def test_profile_without_counting():
    found = harness._inspect(Work(), profile=True, count=False)
    assert 'aten::mm' in found['profile']
    assert set(found) == {'profile'}


class Pipeline:
    """Runs two steps, one of them three times as often."""

    def __init__(self):
        self._steps = [Slow(), str]

    def timed_steps(self):
        return self._steps

    def round(self):
        self._steps[0](1)
        for _ in range(3):
            self._steps[1](2)


class Slow:
    def __call__(self, number):
        import time
        time.sleep(0.01)


def test_profile_of_steps():
    case = Pipeline()
    plain = list(case.timed_steps())
    found = harness._inspect(case, profile=True)
    assert case.timed_steps() == plain
    slow, quick = found['profile'].splitlines()
    assert slow.endswith('  Slow')
    assert float(slow.split()[0]) >= 10
    assert quick.endswith('%  type')
    assert harness._inspect(case, profile=False) == {}


def test_nothing_to_inspect():
    assert harness._inspect(object(), profile=True) == {}


@pytest.mark.parametrize(('short', 'size'), [(0.0, 64), (1e9, 128)])
def test_rate_of_a_matrix_product_of_a_fitting_size(monkeypatch, short, size):
    sizes = []
    real = torch.mm
    monkeypatch.setattr(torch, 'mm', lambda a, b: sizes.append(len(a)) or real(a, b))
    for name, value in (('SMALL_MATRIX', 64), ('LARGE_MATRIX', 128), ('SHORT', short),
                        ('MATMUL_SECONDS', 0.0)):
        monkeypatch.setattr(harness, name, value)
    assert 1e5 < harness._matmul_rate(Work(), 'float32') < 1e14
    assert sizes[-1] == size


def test_resident_memory_grows_with_what_is_held():
    # In a process of its own: that of the tests may have held more before.
    code = f'''
import importlib.util
spec = importlib.util.spec_from_file_location('harness', {harness.__file__!r})
harness = importlib.util.module_from_spec(spec)
spec.loader.exec_module(harness)
before = harness._resident(None)
block = bytearray({256 * MIB})
block[::4096] = b'x' * len(block[::4096])
print(harness._resident(None) - before)
'''
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert 200 < float(done.stdout) < 400


def test_harness_needs_only_the_standard_library_torch_and_numpy():
    tree = parse_python(Path(harness.__file__).read_text(encoding='utf-8'))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.split('.')[0] for name in names}
    assert roots - sys.stdlib_module_names == {'torch', 'numpy'}
