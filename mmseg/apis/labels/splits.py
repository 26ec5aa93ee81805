"""Whether the data sets of all splits give the same meaning to their labels."""
from collections.abc import Iterator, Mapping

from torch.utils.data import Dataset

from mmcv_replace.utils import warn_once
from mmseg.core.utils import leaf_datasets

from .configured import ToldLabels
from .trained_classes import class_changes

BY_NUMBER = 'where that is meant, match_classes=False compares nothing'


def split_clashes(datasets: Mapping[str, Dataset], told: ToldLabels) -> Iterator[str]:
    """Contradictions between the training data and the other splits, one text for each.

    `told`: the settings of the training data in the config, for when `datasets` has no 'train'.
    """
    train = datasets.get('train')
    if train is not None:
        told = _labels_of(train, told)
    for split, dataset in datasets.items():
        if split == 'train':
            continue
        place = f'data.{split} ({type(dataset).__name__})'
        others = list(_class_clashes(told, place, dataset))
        yield from others
        for part in leaf_datasets(dataset):
            yield from _setting_clashes(told, place, part)
        if not others:
            _compare_palettes(train, split, dataset)


def _labels_of(dataset: Dataset, told: ToldLabels) -> ToldLabels:
    """The settings of a data set; None where the parts that it joins differ."""
    parts = list(leaf_datasets(dataset))

    def agreed(name: str) -> object:
        values = [getattr(part, name, None) for part in parts]
        return values[0] if all(value == values[0] for value in values) else None

    classes = getattr(dataset, 'CLASSES', None)
    return ToldLabels(ignore_index=agreed('ignore_index'),
                      reduce_zero_label=agreed('reduce_zero_label'),
                      label_map=told.label_map,
                      classes=None if classes is None else tuple(classes))


def _class_clashes(told: ToldLabels, place: str, dataset: Dataset) -> Iterator[str]:
    changes = class_changes(told.classes, getattr(dataset, 'CLASSES', None), 'data.train', place)
    if changes:
        yield (f'data.train and {place} have other classes, or another order of them: {changes}. '
               f'Give both the same `classes`; {BY_NUMBER}')


def _setting_clashes(told: ToldLabels, place: str, part: Dataset) -> Iterator[str]:
    for name in ('ignore_index', 'reduce_zero_label'):
        trained, own = getattr(told, name), getattr(part, name, None)
        if trained is not None and own is not None and trained != own:
            yield (f'{name}={trained} of data.train, but {name}={own} of {place}: what is scored '
                   f'would not be what is learned; set both to the same; {BY_NUMBER}')
    own_told = getattr(part, 'told_labels', None)
    if own_told is None:
        return
    own = own_told['label_map']
    if (told.label_map is None) != (own is None) and (told.label_map or own):
        with_map, without = ('data.train', place) if own is None else (place, 'data.train')
        yield (f'{with_map} has label_map={told.label_map or own}, but {without} has none: give it '
               'the same, or label_map={} where its masks hold the numbers of the classes '
               f'already; {BY_NUMBER}')


def _compare_palettes(train: Dataset | None, split: str, dataset: Dataset) -> None:
    """Warn if the colours of the classes differ from those of the training data."""
    ours, theirs = (getattr(each, 'PALETTE', None) for each in (train, dataset))
    if ours is not None and theirs is not None and [*map(list, ours)] != [*map(list, theirs)]:
        warn_once(f'data.{split} paints the classes in other colours than data.train: give both '
                  'the same `palette`')
