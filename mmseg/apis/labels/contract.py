"""The check that data sets, heads and losses give the same meaning to each value of a label map.

The training data define it. What leaves a setting open follows them; a contradiction is an error
that names both places. Training, test, tools/check_dataset.py and tools/preflight.py share it.
"""
from collections.abc import Iterator, Mapping
from dataclasses import replace

from torch import nn
from torch.utils.data import Dataset

from mmcv_replace.utils import Config, warn_once
from mmcv_replace.utils.errors import ConfigError
from mmseg.core.utils import leaf_datasets
from mmseg.datasets.masks.label_settings import common

from .configured import LabelSettings, configured_labels
from .heads import check_num_classes, head_clashes
from .trained_classes import class_changes

COMPARED = ('ignore_index', 'reduce_zero_label')
BY_NUMBER = 'where that is meant, match_classes=False compares nothing'


def check_labels_agree(cfg: Config, model: nn.Module | None,
                       datasets: Mapping[str, Dataset]) -> None:
    """Raise ConfigError if the data sets and the model contradict each other about labels.

    `datasets`: by the name of their split. Heads and losses without a setting follow the data.
    """
    clashes = label_clashes(cfg, model, datasets)
    if clashes:
        raise ConfigError('\n'.join(clashes))


def label_clashes(cfg: Config, model: nn.Module | None,
                  datasets: Mapping[str, Dataset]) -> list[str]:
    """The contradictions that `check_labels_agree` raises, one text for each."""
    strict = bool(cfg.get('match_classes', True))
    clashes = []
    if strict:
        clashes += _split_clashes(datasets, configured_labels((cfg.get('data') or {}).get('train')))
    if model is not None:
        clashes += _model_clashes(model, datasets, strict, known=bool(clashes))
    return clashes


def _split_clashes(datasets: Mapping[str, Dataset], labels: LabelSettings) -> Iterator[str]:
    """Contradictions between the training data and the other splits, one text for each.

    `labels`: those of the training data in the config, for when `datasets` has no 'train'.
    """
    train = datasets.get('train')
    if train is not None:
        labels = _built_labels(train, labels)
    for split, dataset in datasets.items():
        if split == 'train':
            continue
        place = f'data.{split} ({type(dataset).__name__})'
        changes = class_changes(labels.classes, getattr(dataset, 'CLASSES', None), 'data.train',
                                place)
        if changes:
            yield (f'data.train and {place} have other classes, or another order of them: '
                   f'{changes}. Give both the same `classes`; {BY_NUMBER}')
        for part in leaf_datasets(dataset):
            yield from _setting_clashes(labels, place, part)
        if not changes:
            _compare_palettes(train, split, dataset)


def _built_labels(dataset: Dataset, configured: LabelSettings) -> LabelSettings:
    """The settings of a built data set; None where the parts that it joins differ."""
    classes, parts = getattr(dataset, 'CLASSES', None), list(leaf_datasets(dataset))
    return replace(configured, classes=None if classes is None else tuple(classes), **{
        name: common(getattr(part, name, None) for part in parts) for name in COMPARED})


def _setting_clashes(labels: LabelSettings, place: str, part: Dataset) -> Iterator[str]:
    for name in COMPARED:
        trained, own = getattr(labels, name), getattr(part, name, None)
        if trained is not None and own is not None and trained != own:
            yield (f'{name}={trained} of data.train, but {name}={own} of {place}: what is scored '
                   f'would not be what is learned; set both to the same; {BY_NUMBER}')
    if not hasattr(part, 'own_labels'):
        return
    own = part.own_labels['label_map']
    if (labels.label_map is None) != (own is None) and (labels.label_map or own):
        with_map, without = ('data.train', place) if own is None else (place, 'data.train')
        yield (f'{with_map} has label_map={labels.label_map or own}, but {without} has none: give '
               'it the same, or label_map={} where its masks hold the numbers of the classes '
               f'already; {BY_NUMBER}')


def _compare_palettes(train: Dataset | None, split: str, dataset: Dataset) -> None:
    """Warn if the colours of the classes differ from those of the training data."""
    ours, theirs = (getattr(each, 'PALETTE', None) for each in (train, dataset))
    if ours is not None and theirs is not None and [*map(list, ours)] != [*map(list, theirs)]:
        warn_once(f'data.{split} paints the classes in other colours than data.train: give both '
                  'the same `palette`')


def _model_clashes(model: nn.Module, datasets: Mapping[str, Dataset], strict: bool,
                   known: bool) -> Iterator[str]:
    """Contradictions between the heads and the first split, and with the others unless `known`."""
    for split, dataset in list(datasets.items())[:1 if known else None]:
        try:
            check_num_classes(model, dataset, f'data.{split} ({type(dataset).__name__})')
        except ConfigError as error:
            yield str(error)
            return  # further contradictions would be consequences of this one
    split = next(iter(datasets), None)
    # A test computes no loss.
    if split is not None and (strict or split == 'train'):
        yield from head_clashes(model, split, datasets[split], strict)
