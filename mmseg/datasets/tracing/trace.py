"""Load a sample as training does, and note what each step has made of it.

The steps run one by one, without those that fuse several, whose draws are the same.
"""
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean
from mmseg.core.utils import nested_datasets

from ..loader.deterministic_dataset import DeterministicDataset
from ..loader.sampler import SampleIndex
from ..pipelines import Compose, MultiScaleFlipAug
from ..pipelines.base import Results, Step
from ..pipelines.compose import RunStep, own_pipeline
from ..pipelines.draws import hearing
from .locate import file_of
from .view import View

MOST_NUMBERS = 16  # of an array that is shown among the keys of a sample
# Of a sample, of interest to steps alone.
INNER_KEYS = ('img_info', 'ann_info', 'img_prefix', 'seg_prefix', 'label_map', 'colour_map',
              'class_files', 'seg_map_key', 'num_classes', 'flip_from', 'scale_from', 'scale_idx',
              'mix_results')


@dataclass(eq=False)
class StepTrace:
    """What a step has made of a sample."""

    step: Step
    depth: int  # number of steps within which it ran: that of a test's views, or one that mixes
    before: View
    after: View | None = None  # None where it failed, or has dropped the sample
    draws: dict[str, Any] = field(default_factory=dict)  # what it has told of these
    drew: bool = False  # whether it has used a random generator
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # key -> before and after
    error: Exception | None = None

    @property
    def name(self) -> str:
        return type(self.step).__name__ if not hasattr(self.step, '__name__') else (
            self.step.__name__)


@dataclass(eq=False)
class Trace:
    """A sample, and the steps by which it has come about, in their order."""

    index: int
    epoch: int
    file: str | None  # of the image, within its data set
    steps: list[StepTrace] = field(default_factory=list)
    sample: Any = None
    error: Exception | None = None


def trace_sample(dataset: Dataset, seed: int, epoch: int, index: int) -> Trace:
    """Load the sample that a training with this seed loads at (epoch, index), both counted from 0.

    An error of a step, or of the data set, is part of the result.
    """
    trace = Trace(index, epoch, file_of(dataset, index))
    with _watching(dataset, _Watcher(trace)):
        try:
            trace.sample = DeterministicDataset(dataset, seed)[SampleIndex(index, epoch)]
        except Exception as error:  # of any class: steps may be code of users
            trace.error = error
    if not trace.steps and trace.error is None:  # a data set of a user, without a pipeline
        after = View.of(trace.sample, ['gt_semantic_seg'])
        trace.steps.append(StepTrace(loading, 0, View.of(None), after))
    return trace


def loading(results: Results) -> Results:
    """Stands for all that a data set without a pipeline does."""
    return results


def skip_steps(dataset: Dataset, types: Sequence[str]) -> None:
    """Take the steps of these types out of all pipelines; ConfigError for one that none has."""
    pipelines = list(_pipelines(dataset))
    names = dict.fromkeys(type(step).__name__ for pipeline in pipelines
                          for step in pipeline.transforms)
    for name in types:
        if name not in names:
            raise ConfigError(f'--skip-type {name}: no pipeline has such a step'
                              f'{did_you_mean(name, names)} (its steps: {", ".join(names)})')
    for pipeline in pipelines:
        pipeline.transforms = [step for step in pipeline.transforms
                               if type(step).__name__ not in types]


def _pipelines(dataset: Dataset) -> Iterator[Compose]:
    for part in nested_datasets(dataset):
        pipeline = own_pipeline(part)
        if pipeline is not None:
            yield from _with_inner(pipeline)


def _with_inner(pipeline: Compose) -> Iterator[Compose]:
    """A pipeline and those inside of its steps."""
    yield pipeline
    for step in pipeline.transforms:
        inner = step.transforms if isinstance(step, MultiScaleFlipAug) else step
        if isinstance(inner, Compose):
            yield from _with_inner(inner)


@contextmanager
def _watching(dataset: Dataset, watch: '_Watcher') -> Iterator[None]:
    """Let all pipelines run their plain steps, watched."""
    former = [(pipeline, pipeline.fusion, pipeline.watch) for pipeline in _pipelines(dataset)]
    for pipeline, _, _ in former:
        pipeline.fusion, pipeline.watch = None, watch
    try:
        yield
    finally:
        for pipeline, fusion, before in former:
            pipeline.fusion, pipeline.watch = fusion, before


class _Watcher:
    """Runs steps, and notes them in a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.depth = 0
        self.label_keys: dict[str, None] = {}

    def __call__(self, run: RunStep, step: Step, data: Results) -> Results | None:
        noted = StepTrace(step, self.depth, self._view(data))
        self.trace.steps.append(noted)
        before, generators = _plain_keys(data), _generators()
        self.depth += 1
        try:
            with hearing() as noted.draws:
                result = run(step, data)
        except Exception as error:
            noted.error = error
            raise
        finally:
            self.depth -= 1
            noted.drew = _generators() != generators
        if result is not None:
            noted.after = self._view(result)
            noted.changed = {key: (before.get(key), value)
                             for key, value in _plain_keys(result).items()
                             if repr(before.get(key)) != repr(value)}
        return result

    def _view(self, data: Any) -> View:
        if isinstance(data, Mapping):
            self.label_keys |= dict.fromkeys(data.get('seg_fields') or ())
        return View.of(data, list(self.label_keys))


def _plain_keys(data: Any) -> dict[str, Any]:
    """The keys of a sample that describe it: numbers, texts, and few of these."""
    return {key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in (data.items() if isinstance(data, Mapping) else ())
            if key not in INNER_KEYS and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.size <= MOST_NUMBERS
    if isinstance(value, list | tuple):
        return len(value) <= MOST_NUMBERS and all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | np.generic)


def _generators() -> tuple[Any, ...]:
    """The states of the generators from which steps draw."""
    kind, numbers, *rest = np.random.get_state()
    return (random.getstate(), kind, numbers.tobytes(), *rest,
            torch.get_rng_state().numpy().tobytes())
