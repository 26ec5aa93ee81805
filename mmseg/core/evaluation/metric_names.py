"""Names of scores in settings, checked as far as they are known before the first evaluation."""
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean

from .metrics import CLASS_SCORES
from .overrides import is_own, is_own_anywhere
from .records import AVERAGED
from .val_loss import PREFIX

if TYPE_CHECKING:
    from .eval_hooks import EvalHook

SHOWN = 3  # names of scores of classes of each kind, in a list
OF_CLASSES = {'Acc', *(score for scores in CLASS_SCORES.values() for score in scores)}


def listed(scores: Iterable[str]) -> str:
    """Names of scores for a message; of those of classes (IoU.person) the first of each kind."""
    kinds: dict[str, list[str]] = {}
    for name in scores:
        kind, dot, _ = name.partition('.')
        kinds.setdefault(kind if dot else name, []).append(name)
    parts = []
    for kind, names in kinds.items():
        parts += names if len(names) <= SHOWN else [*names[:SHOWN], f'... ({len(names)} of {kind})']
    return ', '.join(parts)


def check_metric_name(key: str, metric: str, hook: 'EvalHook') -> None:
    """Raise ConfigError for a score that no evaluation of `hook` will have.

    `key` names the setting. Only losses, and scores of classes and groups, are looked at, and
    these where the data set does not score in its own way.
    """
    dataset = hook.dataloader.dataset
    if metric.startswith(PREFIX) and not hook.val_loss and not is_own_anywhere(dataset, 'evaluate'):
        raise ConfigError(f'{key}={metric!r} needs evaluation.val_loss=True')
    score, _, name = metric.partition('.')
    classes = getattr(dataset, 'CLASSES', None)
    of_groups = {'aAcc', *(f'm{each}' for each in OF_CLASSES)}
    if not classes or not name or score not in OF_CLASSES | of_groups or (
            is_own_anywhere(dataset, 'evaluate') or is_own(hook, 'evaluate')):
        return
    groups = [*(hook.groups or ()), *getattr(dataset, 'score_groups', ())]
    known = groups if score in of_groups else [*classes, *groups]
    if name not in known and name.removesuffix(AVERAGED) not in known:
        what = 'group of evaluation.groups' if score in of_groups else 'class or group of them'
        raise ConfigError(f'{key}={metric!r}: {name!r} is no {what}{did_you_mean(name, known)}')
