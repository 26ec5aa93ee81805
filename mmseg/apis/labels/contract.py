"""One contract for labels: what data sets, steps, heads, losses and checkpoints mean by a number.

The training data decide; what says nothing of its own follows, and what says otherwise is an
error that names both places. Training, test, the check of the data and the one before a job make
the same check.
"""
from collections.abc import Iterator, Mapping

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

from ..settings.num_classes import check_num_classes
from .configured import told_in
from .heads import head_clashes
from .splits import split_clashes


def check_labels_agree(
    cfg: Config, model: nn.Module | None, datasets: Mapping[str, Dataset]
) -> None:
    """Raise ConfigError where the data sets of the splits and the model, if there is one, do not
    mean the same by their labels; heads and losses that were told nothing follow the data.
    """
    clashes = list(label_clashes(cfg, model, datasets))
    if clashes:
        raise ConfigError('\n'.join(clashes))


def label_clashes(
    cfg: Config, model: nn.Module | None, datasets: Mapping[str, Dataset]
) -> Iterator[str]:
    """What `check_labels_agree` raises, one text for each."""
    strict = bool(cfg.get('match_classes', True))
    clashes = []
    if strict:
        clashes += split_clashes(datasets, told_in((cfg.get('data') or {}).get('train')))
    if model is not None:
        clashes += _model_clashes(model, datasets, strict, known=bool(clashes))
    yield from clashes


def _model_clashes(model: nn.Module, datasets: Mapping[str, Dataset], strict: bool,
                   known: bool) -> Iterator[str]:
    """What the heads do otherwise than the first split, and, unless one is `known` to differ from
    it, than the others.
    """
    for number, (split, dataset) in enumerate(datasets.items()):
        if number and known:
            break
        try:
            check_num_classes(model, dataset, f'data.{split} ({type(dataset).__name__})')
        except ConfigError as error:
            yield str(error)
            return  # of which the rest would be a consequence
    split = next(iter(datasets), None)
    # In a test no loss is computed.
    if split is not None and (strict or split == 'train'):
        yield from head_clashes(model, split, datasets[split], strict)
