"""Names of scores in settings, checked before training as far as they are known there."""
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from mmcv_replace.runner import BaseRunner
from mmcv_replace.runner.hooks import find_ema
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean

from .class_names import classes_of_model
from .metrics import CLASS_SCORES
from .overrides import is_own, is_own_anywhere
from .records import AVERAGED
from .scores import Score
from .val_loss import PREFIX, ValidationLoss

if TYPE_CHECKING:
    from .eval_hooks import EvalHook

# Words in a metric's name that tell which value is better; the first match decides.
LESS_IS_BETTER = ('loss', 'error')
GREATER_IS_BETTER = ('acc', 'iou', 'dice', 'score', 'precision', 'recall')
SHOWN = 3  # names of scores of classes of each kind, in a list
METRIC_OF = {name: metric for metric, scores in CLASS_SCORES.items()
             for score in scores for name in (score, f'm{score}')}


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


def score_names(hook: 'EvalHook', runner: BaseRunner) -> list[str] | None:
    """All scores that an evaluation of `hook` will have; None where code of a user names them.

    They are those of no prediction at all. Raises what `evaluate` of the data set says to its
    arguments.
    """
    dataset = hook.dataloader.dataset
    if (is_own(hook, 'evaluate') or is_own(hook, '_do_evaluate')
            or any(is_own_anywhere(dataset, name) for name in ('evaluate', 'pre_eval'))):
        return None
    counts = Score(dataset, hook.eval_kwargs.get('metric') or (),
                   num_classes=classes_of_model(runner.unwrapped_model)).confusion
    if counts is None:
        return None
    names = [*dataset.evaluate(counts, logger='silent', **hook.eval_kwargs)]
    if hook.val_loss:
        names += ValidationLoss(runner.unwrapped_model, dataset).check()
    ema = find_ema(runner)
    averaged = [] if ema is None else [f'{name}{AVERAGED}' for name in names]
    return names + averaged if ema is None or ema.evaluate_on_origin else averaged


def check_metric_name(key: str, metric: str, names: Collection[str] | None) -> None:
    """Raise ConfigError for a score that is none of `names`, with the remedy; None: unknown.

    `key` says in which setting it stands.
    """
    if names is None or metric in names:
        return
    plain = metric.removesuffix(AVERAGED)
    wanted = METRIC_OF.get(plain.partition('.')[0])
    near = did_you_mean(metric, names)
    if plain.startswith(PREFIX) and not any(name.startswith(PREFIX) for name in names):
        remedy = ' needs evaluation.val_loss=True'
    elif plain != metric and plain in names:
        remedy = ' is a score of averaged weights, and needs an EMAHook in custom_hooks'
    elif wanted and not any(name.startswith(plain.partition('.')[0]) for name in names):
        remedy = f' needs {wanted!r} among evaluation.metric'
    else:
        remedy = f' is not among the scores of an evaluation{near or f": {listed(names)}"}'
    raise ConfigError(f'{key}={metric!r}{remedy}')


def rule_of(key: str, metric: str, rule: str | None = None) -> str:
    """`rule`, or by the name of a metric 'greater' or 'less'; ConfigError if that does not tell."""
    found = rule or infer_rule(metric)
    if found is None:
        raise ConfigError(f"{key}={metric!r}: which value is better? say rule='greater' or 'less'"
                          f'{did_you_mean(metric, ["aAcc", "mAcc", *METRIC_OF, f"{PREFIX}loss"])}')
    return found


def infer_rule(metric: str) -> str | None:
    """'greater' or 'less', from a metric's name; None if the name does not tell.

    The part before a dot is tried first: IoU.blossom is not a loss.
    """
    for name in (metric.lower().partition('.')[0], metric.lower()):
        if any(word in name for word in LESS_IS_BETTER):
            return 'less'
        if any(word in name for word in GREATER_IS_BETTER):
            return 'greater'
    return None
