"""Settings of the labels of a data set, and their agreement with the steps of its pipeline."""
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import short

from ..pipelines import Compose, LoadAnnotations
from ..pipelines.base import Step
from ..pipelines.ignored import LabelStep

UNWANTED = -1  # class in a label_map: pixels to ignore


def all_steps(pipeline: Compose) -> Iterator[Step]:
    """All steps of a pipeline, also the steps inside other steps."""
    for step in pipeline.transforms:
        yield step
        inner = step if isinstance(step, Compose) else getattr(step, 'transforms', None)
        if isinstance(inner, Compose):
            yield from all_steps(inner)


def read_label_map(owner: str, label_map: object) -> dict[int, int] | None:
    """A `label_map` with whole numbers as keys, which are texts in JSON and some YAML.

    Raises ConfigError for anything else than whole numbers.
    """
    if label_map is None:
        return None
    if not isinstance(label_map, Mapping):
        raise ConfigError(f'{owner}: label_map={short(label_map)} is no dict: give the class of '
                          'each mask value, such as {0: 0, 255: 1}')
    numbers: dict[int, int] = {}
    for value, number in label_map.items():
        key, place = _number(value, 0), _number(number, UNWANTED)
        if key is None or place is None:
            raise ConfigError(f'{owner}: label_map has {value!r}: {number!r}; a mask value from 0 '
                              'on leads to the number of a class, or to -1, which is ignored')
        if numbers.setdefault(key, place) != place:
            raise ConfigError(f'{owner}: label_map has the mask value {key} twice, as a number and '
                              f'as a text, with the classes {numbers[key]} and {place}: keep one')
    return numbers


def _number(value: object, least: int) -> int | None:
    """A whole number of at least `least`, also one written as a text; None for other values."""
    if isinstance(value, str) and value.strip().removeprefix('-').isdecimal():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if whole and value >= least else None


def agree_on_zero(owner: str, told: bool | None, pipeline: Compose) -> bool:
    """`reduce_zero_label` of a data set: `told`, or where that is None as its LoadAnnotations.

    Raises ConfigError where they contradict each other.
    """
    steps = [step.reduce_zero_label for step in all_steps(pipeline)
             if isinstance(step, LoadAnnotations)
             and getattr(step, 'reduce_zero_label', None) is not None]
    said = {bool(value) for value in (*steps, *(() if told is None else (told,)))}
    if len(said) > 1:
        where = f'{owner} ({told})' if told is not None else f'one LoadAnnotations of {owner}'
        raise ConfigError(
            f'reduce_zero_label must be the same in {where} and in LoadAnnotations of its pipeline '
            f'({", ".join(map(str, steps))}), or training would number the classes otherwise than '
            'evaluation: leave it out of LoadAnnotations, which then follows the dataset')
    return said == {True}


def check_labels(dataset: Dataset, known: int) -> None:
    """Raise ConfigError where a CustomDataset has labels that are neither a class nor ignored.

    `known`: number of its classes before `classes` of the config chose some of them.
    """
    owner, ignore_index = type(dataset).__name__, dataset.ignore_index
    first, num_classes = int(dataset.reduce_zero_label), len(dataset.CLASSES)
    for value, number in (dataset.own_labels['label_map'] or {}).items():
        if number not in (UNWANTED, ignore_index) and not 0 <= number < known + first:
            raise ConfigError(
                f'{owner}: label_map makes {value} class {number}, but the {known} classes '
                f'are {first} to {known - 1 + first}'
                + (', before reduce_zero_label lowers them' if first else '')
                + '; -1 is what is ignored')
    if dataset.reduce_zero_label and 0 <= ignore_index <= num_classes:
        raise ConfigError(
            f'{owner}: with reduce_zero_label mask values from 1 to {num_classes} are the classes, '
            f'and ignore_index={ignore_index} would ignore one of them: choose another, such as '
            f'ignore_index={max(255, num_classes + 1)}')
    for step in () if dataset.test_mode else all_steps(dataset.pipeline):
        if isinstance(step, LabelStep):
            step.check_own_label(ignore_index, num_classes)


def common(values: Iterable[Any]) -> Any:
    """The value that all have in common, None where they differ or there is none."""
    found: Sequence[Any] = list(values)
    return found[0] if found and all(value == found[0] for value in found) else None
