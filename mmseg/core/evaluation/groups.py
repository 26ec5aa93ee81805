"""Scores of groups of classes, such as all vehicles."""
from collections.abc import Mapping, Sequence

import numpy as np

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean

from .metrics import ClassScores, metrics_from_confusion

Groups = Mapping[str, Sequence[str]]  # names of the classes of each group, by its name


def check_groups(groups: Groups | None, classes: Sequence[str] | None,
                 taken: Sequence[str] = ()) -> None:
    """Raise ConfigError for groups of classes that cannot be scored.

    `taken`: names, beside those of the classes, that a group cannot have.
    """
    if not groups:
        return
    if not isinstance(groups, Mapping):
        raise ConfigError(f'evaluation.groups={groups!r} is a dict of lists, such as '
                          f'dict(vehicles={list((classes or ["car", "bus"])[:2])!r})')
    if not classes:
        raise ConfigError('evaluation.groups: the dataset has no CLASSES to make groups of')
    for group, members in groups.items():
        key = f'evaluation.groups.{group}'
        if group in classes or group in taken:
            raise ConfigError(f'{key}: {group!r} has scores of that name already; give the group '
                              'another name')
        if not isinstance(members, list | tuple) or not members:
            raise ConfigError(f'{key}={members!r} is a list of names of classes, such as '
                              f'{list(classes[:2])!r}')
        for name in members:
            if name not in classes:
                raise ConfigError(f'{key}: {name!r} is no class of the dataset'
                                  f'{did_you_mean(name, classes) or _listing(classes)}')
        if len(set(members)) < len(members):
            raise ConfigError(f'{key}={list(members)!r} has a class twice')


def _listing(classes: Sequence[str]) -> str:
    shown = ', '.join(classes[:10]) + (', ...' if len(classes) > 10 else '')
    return f', which has {shown}'


def group_scores(matrix: np.ndarray, groups: Groups, classes: Sequence[str],
                 metrics: str | Sequence[str]) -> ClassScores:
    """Scores [G] of the groups; those that have nothing to count are NaN.

    matrix: [C, C], row = true class. `mIoU` is the mean over the classes of the group, as that of
    all classes, `aAcc` the share of the pixels of its classes that are right; `IoU` and `Acc` take
    the group for one class. The other metrics have their scores likewise.
    """
    found: dict[str, list[float]] = {}
    for members in groups.values():
        rows = [list(classes).index(name) for name in members]
        label = matrix[rows].sum()
        own = {}
        single = metrics_from_confusion(matrix, metrics)
        merged = metrics_from_confusion(_merge(matrix, rows), metrics)
        for name in [each for each in single if each != 'aAcc']:
            values = single[name][rows]
            known = values[~np.isnan(values)]
            own[f'm{name}'] = float(known.mean()) if known.size else float('nan')
            own[name] = float(merged[name][0])
        own['aAcc'] = matrix[rows, rows].sum() / label if label else float('nan')
        for name, value in own.items():
            found.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in found.items()}


def _merge(matrix: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The matrix [2, 2] of the classes `rows` as one class, and of all others as another."""
    inside = np.zeros(len(matrix), np.bool_)
    inside[list(rows)] = True
    return np.array([[matrix[np.ix_(true, pred)].sum() for pred in (inside, ~inside)]
                     for true in (inside, ~inside)])
