"""The C++ part: built on first use, kept in torch's cache of extensions."""
import fcntl
import hashlib
import os
from pathlib import Path

import torch

SOURCES = Path(__file__).parents[2] / 'csrc'
NAME = 'simulated_npu'


def folder() -> Path:
    """Where the library of these sources and this torch is kept."""
    digest = hashlib.sha256(torch.__version__.encode())
    for file in sorted(SOURCES.iterdir()):
        digest.update(file.read_bytes())
    root = os.environ.get('TORCH_EXTENSIONS_DIR') or Path.home() / '.cache' / 'torch_extensions'
    return Path(root) / f'{NAME}_{digest.hexdigest()[:16]}'


def load() -> None:
    """Load the library; the first time it is compiled, about a minute on one core."""
    complete = folder() / 'complete'
    if complete.exists():
        torch.ops.load_library(complete.with_name(f'{NAME}.so'))
    else:
        _build(complete)


def _build(complete: Path) -> None:
    from torch.utils import cpp_extension
    complete.parent.mkdir(parents=True, exist_ok=True)
    with complete.with_name('mutex').open('w') as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        # Torch's own lock outlives a build that was interrupted, and would be waited for.
        complete.with_name('lock').unlink(missing_ok=True)
        cpp_extension.load(NAME, sorted(map(str, SOURCES.glob('*.cpp'))), extra_cflags=['-O1'],
                           build_directory=str(complete.parent), is_python_module=False)
        complete.touch()
