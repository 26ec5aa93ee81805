"""What the settings of a dataset say of its labels, checked against the steps of its pipeline."""
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import short

from .pipelines import Compose, LoadAnnotations
from .pipelines.base import Step
from .pipelines.ignored import LabelStep

UNWANTED = -1  # of a label_map: what the dataset ignores


def all_steps(pipeline: Compose) -> Iterator[Step]:
    """The steps of a pipeline, and those inside of steps that are made of others."""
    for step in pipeline.transforms:
        yield step
        inner = getattr(step, 'transforms', None)
        if isinstance(inner, Compose):
            yield from all_steps(inner)
        elif isinstance(step, Compose):
            yield from all_steps(step)


def read_label_map(owner: str, label_map: object) -> dict[int, int] | None:
    """A `label_map` as numbers, None where there is none.

    JSON and some YAML have texts for keys. Raises ConfigError for what is no whole number.
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
    """A whole number, or one that is written as a text; None for anything else."""
    if isinstance(value, str) and value.strip().removeprefix('-').isdecimal():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if whole and value >= least else None


def check_label_map(owner: str, label_map: Mapping[int, int], num_classes: int, ignore_index: int,
                    reduce_zero_label: bool) -> None:
    """Raise ConfigError where a `label_map` leads to a class that does not exist."""
    first = int(reduce_zero_label)
    for value, number in label_map.items():
        if number not in (UNWANTED, ignore_index) and not 0 <= number < num_classes + first:
            raise ConfigError(
                f'{owner}: label_map makes {value} class {number}, but the {num_classes} classes '
                f'are {first} to {num_classes - 1 + first}'
                + (', before reduce_zero_label lowers them' if first else '')
                + '; -1 is what is ignored')


def agree_on_zero(owner: str, told: bool | None, pipeline: Compose) -> bool:
    """Whether the label 0 is ignored and the others are lowered: what the dataset and its
    LoadAnnotations say, of which one follows the other.

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


def check_lowered(owner: str, ignore_index: int, num_classes: int) -> None:
    """Raise ConfigError where `reduce_zero_label` would make one of the classes what is ignored."""
    if 0 <= ignore_index <= num_classes:
        raise ConfigError(
            f'{owner}: with reduce_zero_label mask values from 1 to {num_classes} are the classes, '
            f'and ignore_index={ignore_index} would ignore one of them: choose another, such as '
            f'ignore_index={max(255, num_classes + 1)}')


def check_label_steps(pipeline: Compose, ignore_index: int, num_classes: int) -> None:
    """Raise ConfigError where steps make labels that are neither a class nor ignored."""
    for step in all_steps(pipeline):
        if isinstance(step, LabelStep):
            step.check_own_label(ignore_index, num_classes)


def common(values: Iterable[Any]) -> Any:
    """The value that all have, None where they differ or there is none."""
    found: Sequence[Any] = list(values)
    return found[0] if found and all(value == found[0] for value in found) else None
