"""Gathers in the course of an evaluation what hooks need of it, beside the scores."""
import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.engine.gather import gather_parts
from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import did_you_mean

from .confusion import ConfusionMatrix
from .evidence import NEEDS, WORST, FixedPicture, PackedMap, SampleScore
from .predict import Prediction

Entry = tuple[SampleScore, PackedMap, PackedMap]  # score, prediction and annotation of a sample


class Gatherer:
    """Takes the samples of this process as they are counted, and brings together those of all.

    `needs`: of `NEEDS`; `fixed`: indices of the samples whose pictures are wanted; `bands`: those
    of images that pictures show. Memory does not grow with the number of samples, but for their
    scores.
    """

    def __init__(self, dataset: Dataset, needs: Iterable[str] = (), fixed: Iterable[int] = (),
                 bands: Sequence[int] | None = None) -> None:
        self._dataset = dataset
        self._needs = frozenset(needs)
        self._fixed = frozenset(fixed) if 'pictures' in self._needs else frozenset()
        self._bands = bands
        self._counted = False  # whether samples come one by one
        self.confusion: np.ndarray | None = None
        self._samples: list[SampleScore] = []
        self._pictures: dict[int, Entry] = {}
        self._worst: list[tuple[float, int, Entry]] = []  # a heap, its best sample first

    @property
    def per_sample(self) -> bool:
        """Whether `add` is to be called."""
        return bool(self._needs - {'confusion'})

    def add(self, prediction: Prediction, label: np.ndarray, counts: np.ndarray) -> None:
        """Take a sample; counts: its [3, C] pixels that are right, predicted and annotated."""
        hit, predicted, annotated = counts
        present = predicted + annotated > 0
        union = (predicted + annotated - hit)[present]
        total = annotated.sum()
        sample = SampleScore(
            prediction.index, prediction.name, prediction.path,
            float((hit[present] / union).mean()) if present.any() else math.nan,
            float(hit.sum() / total) if total else math.nan)
        if 'samples' in self._needs:
            self._samples.append(sample)
        fixed, bad = sample.index in self._fixed, self._is_bad(sample)
        if fixed or bad:
            entry = sample, PackedMap.of(prediction.seg_map), PackedMap.of(label)
            if fixed:
                self._pictures[sample.index] = entry
            if bad:
                push = heapq.heappushpop if len(self._worst) == WORST else heapq.heappush
                push(self._worst, (*_rank(sample), entry))

    def _is_bad(self, sample: SampleScore) -> bool:
        if 'worst' not in self._needs or math.isnan(sample.miou):
            return False
        return len(self._worst) < WORST or _rank(sample) > self._worst[0][:2]

    def finish(self, confusion: ConfusionMatrix | None) -> None:
        """Take the counts of all processes, and the samples of the others; each has to call this.

        Without counts there are no samples either, which is said.
        """
        if confusion is None:
            if self._needs:
                warn_once(f'hooks of this run get no {", ".join(sorted(self._needs))} of its '
                          'evaluations, as the dataset or the evaluation hook scores in its own '
                          'way (evaluate or pre_eval of a user), or neither CLASSES of the dataset '
                          'nor num_classes of the model tell how many classes there are: they get '
                          'the scores alone')
            return
        self.confusion = confusion.matrix.copy()
        if 'samples' in self._needs:
            self._samples = from_first_rank(_by_index(gather_parts(
                {sample.index: sample for sample in self._samples})))
        if self._fixed:
            self._pictures = dict(enumerate(_by_index(gather_parts(self._pictures))))
        if 'worst' in self._needs:
            entries = _by_index(gather_parts(
                {entry[0].index: entry for *_, entry in self._worst}))
            self._worst = heapq.nlargest(
                WORST, ((*_rank(entry[0]), entry) for entry in entries), key=lambda item: item[:2])

    @property
    def samples(self) -> list[SampleScore]:
        """Of all processes, in the order of the data set, on each of them."""
        return self._samples

    def pictures(self) -> dict[str, FixedPicture]:
        """The fixed ones by the name of the sample, in the order of the data set, on rank 0."""
        pictures: dict[str, FixedPicture] = {}
        for entry in self._pictures.values():
            name = entry[0].name
            pictures[f'{name} ({entry[0].index})' if name in pictures else name] = (
                self._picture(entry))
        return pictures

    def worst(self) -> list[FixedPicture]:
        """Those with the lowest mIoU, that first, on rank 0."""
        return [self._picture(entry) for *_, entry in self._worst]

    def _picture(self, entry: Entry) -> FixedPicture:
        load = getattr(self._dataset, 'get_original_image', None)
        return FixedPicture(*entry, self._dataset.ignore_index, self._dataset.CLASSES,
                            getattr(self._dataset, 'PALETTE', None), self._bands,
                            load and partial(load, entry[0].index))


def _rank(sample: SampleScore) -> tuple[float, int]:
    """Grows with how bad a sample is; of equal ones the first counts as the worst."""
    return -sample.miou, -sample.index


def _by_index(parts: list[Mapping[int, object]] | None) -> list:
    """What belongs to the samples of all processes, in their order; empty except on rank 0."""
    merged = {index: value for part in parts or () for index, value in part.items()}
    return [merged[index] for index in sorted(merged)]


def choose_pictures(dataset: Dataset, wanted: int | Sequence[str],
                    hooks: Iterable[object] = ()) -> list[int]:
    """Indices of the samples for `evaluation.pictures`: a number of them, or their names.

    A number of samples is spread evenly over the data set; a hook may ask for more, as its
    `evaluation_pictures`. Raises ConfigError for an unknown name.
    """
    total = len(dataset)
    if isinstance(wanted, int):
        number = min(total, max(
            [wanted, *(getattr(hook, 'evaluation_pictures', 0) for hook in hooks)]))
        return [(2 * place + 1) * total // (2 * number) for place in range(number)]
    infos = getattr(dataset, 'img_infos', None)
    if infos is None:
        raise ConfigError(f'evaluation.pictures={list(wanted)!r}: the dataset has no list of the '
                          'names of its samples (img_infos); give a number of samples')
    names = {info['filename']: index for index, info in enumerate(infos)}
    short = {name.rpartition('.')[0]: index for name, index in names.items()}
    for name in wanted:
        if name not in names and name not in short:
            raise ConfigError(f'evaluation.pictures: {name!r} is no image of the {total} of the '
                              f'dataset{did_you_mean(name, names)}')
    return [names.get(name, short.get(name)) for name in wanted]


def needs_of(hooks: Iterable[object]) -> frozenset[str]:
    """What the hooks of the first process need of evaluations; every process has to call this.

    Raises ConfigError for a need that does not exist.
    """
    needs: set[str] = set()
    for hook in hooks:
        own = getattr(hook, 'evaluation_needs', frozenset())
        if isinstance(own, str) or not set(own) <= set(NEEDS):
            raise ConfigError(f'{type(hook).__name__}.evaluation_needs={own!r} is a set of some of '
                              f'{", ".join(NEEDS)}')
        needs |= set(own)
    return from_first_rank(frozenset(needs))
