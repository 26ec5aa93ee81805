"""Errors, and what steps have drawn, in words."""
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import UserError
from mmseg.datasets.tracing import StepTrace


def describe_error(error: Exception) -> str:
    """An error as text; one that is no mistake of the user with the place where it arose."""
    text = str(error) if isinstance(error, UserError) else f'{type(error).__name__}: {error}'
    notes = [str(note) for note in getattr(error, '__notes__', ())]
    frames = traceback.extract_tb(error.__traceback__)
    if not isinstance(error, UserError) and frames:
        notes.append(f'at {frames[-1].filename}, line {frames[-1].lineno}')
    return '\n'.join([text, *notes])


def describe_value(value: Any) -> str:
    """What a step has drawn as short text."""
    if isinstance(value, float | np.floating):
        return f'{value:.4g}'
    if isinstance(value, np.ndarray):
        return describe_value(value.tolist()) if value.size <= 8 else f'array {list(value.shape)}'
    if isinstance(value, Mapping):
        return ', '.join(f'{key} {describe_value(entry)}' for key, entry in value.items())
    if isinstance(value, list | tuple):
        inner = '; ' if any(isinstance(entry, Mapping) for entry in value) else ', '
        return inner.join(map(describe_value, value))
    return str(value)


def describe_draws(step: StepTrace) -> dict[str, str]:
    """What a step has drawn; of one that does not tell, that it has drawn."""
    told = {str(name).replace('_', ' '): describe_value(value)
            for name, value in step.draws.items()}
    return told or ({'draws': 'at random, but does not tell what'} if step.drew else {})


def draws_in_line(step: StepTrace) -> str:
    """What a step has drawn, in one line."""
    return '; '.join(f'{name} {value}'.rstrip() for name, value in describe_draws(step).items())
