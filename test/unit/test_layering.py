"""Imports only go down, vendors have one home, and importing us stays light."""
import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmcv_replace.utils.config.syntax import parse_python

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path.relative_to(ROOT) for package in ('mmcv_replace', 'mmseg')
                 for path in (ROOT / package).rglob('*.py'))

# Modules of the runner but base_module, of which layers are made.
RUNNER = sorted({f'mmcv_replace.runner.{path.parts[2].removesuffix(".py")}' for path in SOURCES
                 if path.is_relative_to('mmcv_replace/runner')}
                - {'mmcv_replace.runner.base_module', 'mmcv_replace.runner.__init__'})
# Files of mmcv_replace.ops, an operator each, but for what they share.
OPERATORS = sorted(f'mmcv_replace.ops.{path.stem}' for path in SOURCES
                   if path.parent == Path('mmcv_replace/ops')
                   and path.stem not in ('__init__', 'function_names', 'precision', 'parts'))

# package -> what it must not import, directly or inside a function
FORBIDDEN = {
    'mmcv_replace': ['mmseg', 'tools'],
    'mmcv_replace.utils': ['mmcv_replace.runner', 'mmcv_replace.cnn', 'mmcv_replace.ops',
                           'mmcv_replace.parallel', 'mmcv_replace.image'],
    'mmcv_replace.fileio': ['mmcv_replace.runner', 'mmcv_replace.cnn', 'mmcv_replace.ops',
                            'mmcv_replace.parallel', 'mmcv_replace.image', 'mmcv_replace.device'],
    'mmcv_replace.image': ['mmcv_replace.runner', 'mmcv_replace.cnn', 'mmcv_replace.ops',
                           'mmcv_replace.parallel', 'mmcv_replace.device'],
    **dict.fromkeys(('mmcv_replace.arraymisc', 'mmcv_replace.visualization'),
                    ['mmcv_replace.runner', 'mmcv_replace.cnn', 'mmcv_replace.ops',
                     'mmcv_replace.parallel', 'mmcv_replace.device']),
    'mmcv_replace.device': ['mmcv_replace.runner', 'mmcv_replace.cnn', 'mmcv_replace.ops',
                            'mmcv_replace.parallel', 'mmcv_replace.image', 'mmcv_replace.fileio'],
    # Layers and operators name each other in registries, and are imported when they are built.
    'mmcv_replace.cnn': ['mmcv_replace.ops', 'mmcv_replace.parallel', 'mmcv_replace.image'],
    'mmcv_replace.ops': ['mmcv_replace.parallel', 'mmcv_replace.image', 'mmcv_replace.fileio',
                         *RUNNER],
    # What operators share does not depend on any of them.
    **dict.fromkeys((f'mmcv_replace.ops.{name}' for name in (
        'kernels', 'precision', 'roi', 'sampling', 'deform', 'tiles')),
        ['mmcv_replace.cnn', *OPERATORS]),
    # A runner depends on no hook; hooks come from the registry.
    **dict.fromkeys((f'mmcv_replace.runner.{name}' for name in (
        'base_runner', 'hook', 'hook_registration', 'checkpoints', 'optimizer', 'precision')),
        ['mmcv_replace.runner.hooks']),
    'mmseg': ['tools', 'mmcv'],
    'mmseg.prediction': ['mmseg.apis'],
    'mmseg.core': ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.prediction'],
    'mmseg.models': ['mmseg.apis', 'mmseg.datasets', 'mmseg.prediction'],
    'mmseg.datasets': ['mmseg.apis', 'mmseg.models', 'mmseg.prediction'],
    'mmseg.ops': ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.core'],
    'mmseg.visualization': ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.core',
                            'mmseg.ops', 'mmseg.utils'],
    'mmseg.zoo': ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.core', 'mmseg.utils'],
    'mmseg.utils': ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.core'],
}
VENDOR = re.compile(r'(?<![a-z])(cuda|npu|nccl|hccl|torch_npu|cudnn)(?![a-z])', re.IGNORECASE)
# Of the reference's dialect, and names of mmcv.
CONFIG_KEYS = ('cudnn_benchmark', 'IS_CUDA_AVAILABLE', 'IS_NPU_AVAILABLE')
# The table of compatibility quotes names of mmcv.
VENDOR_HOMES = ('mmcv_replace/device.py', 'mmcv_replace/ops/', 'mmcv_replace/compatibility.py')
HEAVY = ('torch_npu', 'apex', 'tensorboard', 'matplotlib', 'scipy')


def module_name(path):
    parts = list(path.with_suffix('').parts)
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imported_names(path):
    """Full dotted names that a file imports, with `from a import b` as a.b."""
    package = module_name(path) if path.name == '__init__.py' else module_name(path.parent / 'x')
    package = package.removesuffix('.x')
    for node in ast.walk(parse_python((ROOT / path).read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name('.' * node.level + (node.module or ''), package)
            yield from (f'{base}.{alias.name}' for alias in node.names)


def lies_in(name, package):
    return f'{name}.'.startswith(f'{package}.')


@pytest.mark.parametrize('package', FORBIDDEN)
def test_imports_only_go_down(package):
    wrong = [f'{path} imports {name}' for path in SOURCES if lies_in(module_name(path), package)
             for name in imported_names(path)
             if any(lies_in(name, upper) for upper in FORBIDDEN[package])]
    assert not wrong


def test_rules_name_packages_that_exist():
    found = {module_name(path) for path in SOURCES}
    assert {name for name in FORBIDDEN if name not in found} <= {'mmseg.utils', 'mmseg.ops'}


def vendor_words(path):
    """Vendor names in the code and in its strings; docstrings and help texts may explain."""
    tree = parse_python((ROOT / path).read_text(encoding='utf-8'))
    prose = {id(node.body[0].value) for node in ast.walk(tree)
             if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
             and isinstance(node.body[0], ast.Expr)}
    prose |= {id(part) for node in ast.walk(tree)
              if isinstance(node, ast.keyword) and node.arg == 'help'
              for part in ast.walk(node.value)}
    for node in ast.walk(tree):
        words = [node.value] if isinstance(node, ast.Constant) and id(node) not in prose else [
            getattr(node, field, None) for field in ('id', 'attr', 'arg', 'name', 'module')]
        for word in words:
            if isinstance(word, str) and word not in CONFIG_KEYS and VENDOR.search(word):
                yield f'{path}:{node.lineno}: {word}'


def test_vendor_names_have_one_home():
    leaks = [leak for path in SOURCES if not path.as_posix().startswith(VENDOR_HOMES)
             for leak in vendor_words(path)]
    assert not leaks


@pytest.mark.parametrize('code', ['import torch; torch.cuda.empty_cache()', 'x = "npu:0"',
                                  'model.cuda()', 'import torch_npu', 'f(npu=1)'])
def test_leak_test_finds_leaks(tmp_path, monkeypatch, code):
    (tmp_path / 'leak.py').write_text(f'"""Prose about cuda."""\n{code}\n')
    monkeypatch.setattr(sys.modules[__name__], 'ROOT', tmp_path)
    assert list(vendor_words(Path('leak.py')))


# Loaded on the devices that have them alone; their packages are there too, or are not asked for.
KERNELS_OF_PACKAGES = ('mmcv_replace.ops.kernels.npu', 'mmcv_replace.ops.kernels.vision')


def test_importing_everything_stays_light():
    modules = [module_name(path) for path in SOURCES]
    assert set(KERNELS_OF_PACKAGES) < set(modules)
    modules = [name for name in modules if name not in KERNELS_OF_PACKAGES]
    code = ('import importlib, sys\n'
            f'for name in {modules!r}:\n    importlib.import_module(name)\n'
            f'print([name for name in {HEAVY!r} if name in sys.modules])')
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True,
        # Without this torch itself would import an installed plug-in.
        env={**os.environ, 'TORCH_DEVICE_BACKEND_AUTOLOAD': '0', 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[]'


@pytest.mark.parametrize('package', ['mmseg', 'mmcv_replace'])
def test_plain_import_loads_little(package):
    late = ('yaml', 'prettytable', 'PIL.Image', 'concurrent.futures.process')
    code = (f'import sys, torch, cv2\nbefore = set(sys.modules)\nimport {package}\n'
            f'print([name for name in {late!r} if name in sys.modules and name not in before])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.stdout.strip() == '[]'


def test_import_of_operators_loads_no_layers_and_no_compiler():
    late = ('torch._dynamo', 'torchvision', 'mmcv_replace.runner', 'mmcv_replace.cnn.bricks.scale',
            'mmcv_replace.cnn.bricks.conv_module', 'mmcv_replace.cnn.bricks.transformer')
    code = (f'import sys, torch\nbefore = set(sys.modules)\nimport mmcv_replace.ops\n'
            f'print([name for name in {late!r} if name in sys.modules and name not in before])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.stdout.strip() == '[]'
