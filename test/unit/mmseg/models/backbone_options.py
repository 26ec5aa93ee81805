"""Table of the backbones, from the files in backbone_cases: a new one is a file there, with CASES.

Name -> list of (options, plain form, fingerprint of the names and shapes of its state), two or
more. A plain form takes the state dict, the options and images, and gives the maps with torch's
functions alone. The options make the backbone small. A file may also have UNFIT, which checks of
every module do not fit its backbones and why, and MISSING, why they cannot be built here ('' if
they can).
"""
import hashlib
from importlib import import_module
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).with_name('backbone_cases')
FILES = [import_module(f'.backbone_cases.{path.stem}', __package__)
         for path in sorted(FOLDER.glob('*.py'))]
CASES = {name: cases for file in FILES for name, cases in file.CASES.items()}
# Name of a backbone -> name of a check -> why it does not fit.
UNFIT = {name: getattr(file, 'UNFIT', {}) for file in FILES for name in file.CASES}
MISSING = {name: getattr(file, 'MISSING', '') for file in FILES for name in file.CASES}
EACH = [pytest.param(name, i, marks=[pytest.mark.skip(MISSING[name])] if MISSING[name] else [])
        for name, cases in CASES.items() for i in range(len(cases))]


def fingerprint(module):
    """Of the names, their order, and the shapes of a state."""
    text = '\n'.join(f'{key} {tuple(value.shape)}' for key, value in module.state_dict().items())
    return hashlib.sha1(text.encode()).hexdigest()[:12]


def images(batch, channels=3, size=(33, 47), dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, *size, generator=generator).to(dtype)


def fitting(model, size=(33, 47)):
    """A size (height, width) that the backbone takes: its `size_divisor`, if any, divides it.

    A model without padding needs some pixels.
    """
    divisor = getattr(model, 'size_divisor', 1)
    return tuple(max(-(-side // divisor) * divisor, 1 + model.out_margin) for side in size)
