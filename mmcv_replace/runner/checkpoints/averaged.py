"""Averaged weights (EMA) in a checkpoint, beside those that were trained.

A checkpoint that is written in the course of training has the trained weights as `state_dict` and
the averaged ones as `ema_state_dict`. The best one by a score of the averaged weights has these as
`state_dict`, so that every tool evaluates them, and the trained ones as `raw_state_dict`.
"""
from typing import Any

from ...utils.errors import CheckpointError

AVERAGED = 'ema_state_dict'  # all of the model's state, averaged
TRAINED = 'raw_state_dict'  # where state_dict holds the averaged weights


def regular_form(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The checkpoint with the trained weights as `state_dict`, from which a run can resume."""
    if not isinstance(checkpoint.get(TRAINED), dict):
        return checkpoint
    rest = {key: value for key, value in checkpoint.items() if key != TRAINED}
    return {**rest, 'state_dict': checkpoint[TRAINED], AVERAGED: checkpoint['state_dict']}


def averaged_state(checkpoint: dict[str, Any], filename: str) -> dict[str, Any]:
    """The averaged weights of a checkpoint; CheckpointError where it has none."""
    if TRAINED in checkpoint:
        return checkpoint['state_dict']
    if AVERAGED not in checkpoint:
        raise CheckpointError(f'{filename} has no averaged weights ({AVERAGED}): the run that '
                              "wrote it had no dict(type='EMAHook') in custom_hooks")
    return checkpoint[AVERAGED]


def from_mmengine(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of mmengine's EMAHook (mmsegmentation 1.x) as one of ours.

    mmengine swaps the two before it writes: its `state_dict` has the averaged weights, and its
    `ema_state_dict` the trained ones, under the names of the averaged model (`module.*`, `steps`).
    Any other checkpoint is returned as it is.
    """
    swapped = checkpoint.get(AVERAGED)
    if not isinstance(swapped, dict) or 'steps' not in swapped:
        return checkpoint
    trained = {key.removeprefix('module.'): value for key, value in swapped.items()
               if isinstance(key, str) and key != 'steps'}
    rest = {key: value for key, value in checkpoint.items() if key != AVERAGED}
    return {**rest, TRAINED: trained}
