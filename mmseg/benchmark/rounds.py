"""Alternate the measured rounds of several subjects, and summarise them.

The speed of a machine varies over minutes. With alternating rounds a slow minute affects all
subjects, and medians are compared.
"""
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar('T')


@dataclass(frozen=True)
class Summary:
    """Median, fastest and slowest of the rounds."""

    median: float
    low: float
    high: float


def interleave(
    subjects: Sequence[T], measure: Callable[[T], float], rounds: int, warmup: int
) -> list[list[float]]:
    """Measure each subject once per round (A B C A B C); returns the values by subject.

    `warmup` rounds are made first, whose values are not returned.
    """
    values = [[] for _ in subjects]
    for number in range(warmup + rounds):
        for subject, kept in zip(subjects, values, strict=True):
            value = measure(subject)
            if number >= warmup:
                kept.append(value)
    return values


def summarize(values: Sequence[float]) -> Summary:
    """Median and spread of at least one value."""
    return Summary(statistics.median(values), min(values), max(values))


def speedup(values: Sequence[float], reference: Sequence[float]) -> float:
    """How many times as fast as `reference`: the ratio of the medians, both in seconds."""
    return statistics.median(reference) / statistics.median(values)
