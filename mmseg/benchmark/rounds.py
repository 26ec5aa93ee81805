"""Rounds that take turns, and what they amount to.

A machine is never equally fast for long. The rounds of all subjects alternate, so that a slow
minute meets each of them, and medians are compared.
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
    """Measure every subject once a round, in turn: A B C A B C; returns the values of each subject.

    The first `warmup` rounds are made and left out.
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
    """How many times as fast as `reference`: the ratio of the medians of their seconds."""
    return statistics.median(reference) / statistics.median(values)
