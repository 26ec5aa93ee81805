"""What of a checkpoint's meta data describes the model, whatever program reads it."""
from collections.abc import Mapping
from typing import Any

# The rest tells of the machine, of the state of hooks, and of the run to resume.
KEPT = ('config', 'cfg', 'CLASSES', 'PALETTE', 'dataset_meta', 'mmseg_version', 'mmcv_version',
        'mmengine_version', 'epoch', 'iter', 'seed', 'exp_name', 'experiment_name', 'time')


def described(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `meta` that describe the model."""
    meta = checkpoint.get('meta') or {}
    return {key: meta[key] for key in KEPT if meta.get(key) is not None}


def as_version_0(meta: Mapping[str, Any]) -> dict[str, Any]:
    """With classes and palette where mmsegmentation 0.x has them."""
    newer = meta.get('dataset_meta') or {}
    names = {key: newer[key.lower()] for key in ('CLASSES', 'PALETTE') if key.lower() in newer}
    return {**{key: value for key, value in meta.items() if key != 'dataset_meta'}, **names}


def as_version_1(meta: Mapping[str, Any]) -> dict[str, Any]:
    """With classes and palette where mmsegmentation 1.x has them."""
    names = {key.lower(): meta[key] for key in ('CLASSES', 'PALETTE') if key in meta}
    rest = {key: value for key, value in meta.items() if key not in ('CLASSES', 'PALETTE')}
    return {**rest, 'dataset_meta': {**(meta.get('dataset_meta') or {}), **names}}
