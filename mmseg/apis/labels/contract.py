"""The check that data sets, heads and losses give the same meaning to each value of a label map.

The training data define it. What leaves a setting open follows them; a contradiction is an error
that names both places. Training, test, tools/check_dataset.py and tools/preflight.py share it.
"""
from collections.abc import Iterator, Mapping

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError

from .configured import configured_labels
from .heads import check_num_classes, head_clashes
from .splits import split_clashes


def check_labels_agree(
    cfg: Config, model: nn.Module | None, datasets: Mapping[str, Dataset]
) -> None:
    """Raise ConfigError if the data sets and the model contradict each other about labels.

    `datasets`: by the name of their split. Heads and losses without a setting follow the data.
    """
    clashes = label_clashes(cfg, model, datasets)
    if clashes:
        raise ConfigError('\n'.join(clashes))


def label_clashes(
    cfg: Config, model: nn.Module | None, datasets: Mapping[str, Dataset]
) -> list[str]:
    """The contradictions that `check_labels_agree` raises, one text for each."""
    strict = bool(cfg.get('match_classes', True))
    clashes = []
    if strict:
        clashes += split_clashes(datasets, configured_labels((cfg.get('data') or {}).get('train')))
    if model is not None:
        clashes += _model_clashes(model, datasets, strict, known=bool(clashes))
    return clashes


def _model_clashes(model: nn.Module, datasets: Mapping[str, Dataset], strict: bool,
                   known: bool) -> Iterator[str]:
    """Contradictions between the heads and the first split, and with the others unless `known`.

    `known`: the splits are known to contradict each other.
    """
    for number, (split, dataset) in enumerate(datasets.items()):
        if number and known:
            break
        try:
            check_num_classes(model, dataset, f'data.{split} ({type(dataset).__name__})')
        except ConfigError as error:
            yield str(error)
            return  # further contradictions would be consequences of this one
    split = next(iter(datasets), None)
    # A test computes no loss.
    if split is not None and (strict or split == 'train'):
        yield from head_clashes(model, split, datasets[split], strict)
