"""Compare the classes of a checkpoint, by their names, with those of a data set."""
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmcv_replace.runner.checkpoint import read_meta
from mmcv_replace.runner.checkpoints.pretrained import resolve_checkpoint
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError
from mmseg.utils import get_root_logger

CHECKPOINT, DATA_SET = 'the checkpoint', 'the data set'
SHOWN = 8  # names in a message
BY_NUMBER = ('if they are the same classes under other names, match_classes=False takes them by '
             'their numbers')


def classes_in(checkpoint: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Names of the classes in a checkpoint of mmsegmentation 0.x or 1.x; None without them."""
    names = list_in(checkpoint, 'CLASSES')
    return None if names is None else tuple(names)


def list_in(checkpoint: Mapping[str, Any], key: str) -> Sequence | np.ndarray | None:
    """The list CLASSES or PALETTE in a checkpoint of mmsegmentation 0.x or 1.x; None without it."""
    meta = checkpoint.get('meta')
    newer = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    values = [part.get(name) for part, name in ((meta, key), (newer, key.lower()))
              if isinstance(part, Mapping)]
    return next((value for value in values
                 if isinstance(value, list | tuple | np.ndarray) and len(value)), None)


def places_by_name(
    trained: Sequence[str] | None, wanted: Sequence[str] | None
) -> list[int] | None:
    """Index in `wanted` of each class of `trained`; None if they are not the same classes.

    Case, spaces, '-' and '_' are ignored unless that makes names equal. Without names (None) the
    classes count as equal.
    """
    if trained is None or wanted is None:
        return list(range(len(trained or wanted or ())))
    first, second = list(map(str, trained)), list(map(str, wanted))
    if first == second:
        return list(range(len(first)))
    for spell in (str, _plain):
        ours, theirs = list(map(spell, second)), list(map(spell, first))
        if len(set(ours)) == len(ours) and sorted(ours) == sorted(theirs):
            return [ours.index(name) for name in theirs]
    return None


def _plain(name: str) -> str:
    return re.sub(r'[\s\-_]', '', name.casefold())


def order_for_test(
    trained: Sequence[str] | None, dataset: object, checkpoint: str, match: bool
) -> list[int] | None:
    """Class of `dataset` for each class that the model predicts; None if the order is the same.

    Raises CheckpointError if the checkpoint was trained for other classes, unless `match` is False
    (`match_classes` of the config).
    """
    wanted = getattr(dataset, 'CLASSES', None)
    places = places_by_name(trained, wanted) if match else None
    if match and places is None:
        raise CheckpointError(
            f'{checkpoint} was trained for other classes than those of {type(dataset).__name__}: '
            f'{class_changes(trained, wanted)}. Give the checkpoint that was trained for these, or '
            "set `classes` in data.test to the checkpoint's (by name, in any order); "
            f'{BY_NUMBER}')
    if places is None or places == sorted(places):
        return None
    get_root_logger().info('%s lists the classes in another order than %s: predictions are brought '
                           'into that of the data set', checkpoint, type(dataset).__name__)
    return places


def check_resumed_classes(cfg: Config, dataset: object) -> None:
    """Raise CheckpointError if the run to resume has other classes or another order of them.

    `match_classes=False` in the config skips the comparison.
    """
    if cfg.get('match_classes', True):
        trained = classes_in(read_meta(resolve_checkpoint(cfg.resume_from)))
        changes = class_changes(trained, getattr(dataset, 'CLASSES', None))
        if changes:
            raise CheckpointError(
                f'{cfg.resume_from} cannot be resumed with {type(dataset).__name__}: {changes}. '
                "List `classes` in data.train as the checkpoint's, or begin a new run from its "
                f'weights with load_from; {BY_NUMBER}')


def tell_other_classes(cfg: Config, checkpoint: Mapping[str, Any], dataset: object) -> None:
    """Warn if `load_from` has a classifier for other classes of the same number.

    One of another number was not loaded, which the log tells.
    """
    trained, wanted = classes_in(checkpoint), getattr(dataset, 'CLASSES', None) or ()
    if trained is not None and wanted and len(trained) != len(wanted):
        get_root_logger().info(
            'load_from=%s was trained for %d classes, and %s has %d: the classifiers start anew, '
            'with random weights; all other weights are those of the checkpoint', cfg.load_from,
            len(trained), type(dataset).__name__, len(wanted))
    if cfg.get('match_classes', True) and trained is not None and len(trained) == len(wanted):
        changes = class_changes(trained, wanted)
        if changes:
            get_root_logger().warning(
                '%s begins with the classifier of other classes than those of %s, which is for '
                'the training to mend: %s', cfg.load_from, type(dataset).__name__, changes)


def class_changes(trained: Sequence[str] | None, wanted: Sequence[str] | None,
                  first: str = CHECKPOINT, second: str = DATA_SET) -> str:
    """The names that only `first` or `second` has, or where the order differs; '' if neither."""
    places = places_by_name(trained, wanted)
    if places == list(range(len(places or ()))):
        return ''
    parts = [f'{side} alone has {_listing(names)}' for side, names in (
        (first, [name for name in trained if name not in wanted]),
        (second, [name for name in wanted if name not in trained])) if names]
    if not parts:
        place = next((i for i, pair in enumerate(zip(trained, wanted, strict=False))
                      if pair[0] != pair[1]), min(len(trained), len(wanted)))
        parts = [f'the order differs from class {place} on, {first} has '
                 f'{_listing(trained[place:])}, {second} {_listing(wanted[place:])}']
    return f'{len(trained)} classes there, {len(wanted)} here; ' + '; '.join(parts)


def _listing(names: Sequence[str]) -> str:
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(repr(str(name)) for name in names[:SHOWN]) + more or 'none'
