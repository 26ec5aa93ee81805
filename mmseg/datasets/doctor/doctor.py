"""Examine the samples of data sets and gather what is wrong with them."""
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from torch.utils.data import Dataset

from .examine import Examiner, scan
from .findings import Diagnosis, Finding, Sample
from .label_tally import ClassTally, ValueTally
from .lists import Duplicates, find_shared_files, find_unlisted
from .report import Report
from .source import find_sources

# Passes on the items of (series, its length), and shows the progress.
Progress = Callable[[tuple[Iterable[Diagnosis], int]], Iterable[Diagnosis]]


def open_report(datasets: Mapping[str, Dataset]) -> Report:
    """A report on the data sets of each split, before any sample is examined.

    A split for evaluation that has the same files as another, as data.test and data.val often do,
    is noted in `same` and left out.
    """
    report = Report([])
    contents: dict[str, list] = {}
    for split, dataset in datasets.items():
        sources, unknown = find_sources(split, dataset)
        report.findings += [Finding('not-checked', split, name, 'a dataset that is not made of '
                                    'image files') for name in unknown]
        contents[split] = [source.contents() for source in sources]
        first = next((other for other in report.samples if 'train' not in (split, other)
                      and contents[other] and contents[other] == contents[split]), None)
        if first is not None:
            report.same[split] = first
            continue
        report.samples[split] = 0
        report.sources += sources
        report.findings += [Finding('not-checked', split, source.owner, f'{what} are read by a '
                                    'step of your own: only their existence is checked')
                            for source in sources
                            for what, step in (('images', source.image), ('masks', source.mask))
                            if step is None and (what == 'images' or source.dataset.ann_dir)]
    return report


def examine_all(report: Report, nproc: int = 1, progress: Progress | None = None) -> None:
    """Examine every sample, and look for duplicates, unlisted files and absent classes."""
    samples = [(number, index) for number, source in enumerate(report.sources)
               for index in range(len(source))]
    _examine(report, samples, nproc, progress, Duplicates(report.sources))
    report.findings += find_unlisted(report.sources)
    for split, tally in report.classes.items():
        report.findings += [Finding('absent-class', split, name, '') for name in tally.absent()]


def examine_some(report: Report, limits: Mapping[str, int]) -> None:
    """Examine at most `limits[split]` samples of each split, spread evenly, in this process."""
    samples: list[Sample] = []
    for split, limit in limits.items():
        every = [(number, index) for number, source in enumerate(report.sources)
                 if source.split == split for index in range(len(source))]
        places = np.linspace(0, len(every) - 1, min(limit, len(every))).round().astype(int)
        samples += [every[place] for place in places]
    _examine(report, samples)
    report.findings += find_shared_files(report.sources)


def _examine(report: Report, samples: Sequence[Sample], nproc: int = 1,
             progress: Progress | None = None, duplicates: Duplicates | None = None) -> None:
    """Add the diagnoses of samples to the report."""
    started = time.perf_counter()
    series: Iterable[Diagnosis] = scan(Examiner(report.sources, samples), nproc)
    if progress is not None:
        series = progress((series, len(samples)))
    for found in series:
        source = report.sources[found.sample[0]]
        report.samples[source.split] += 1
        report.findings += found.findings
        if found.values is not None:
            report.values.setdefault(found.sample[0], ValueTally(source)).add(found)
            if source.dataset.CLASSES is not None:
                tally = report.classes.setdefault(source.split, ClassTally(source.dataset.CLASSES))
                tally.add(source.labels_of(found.values), found.counts, source.dataset.ignore_index)
        if duplicates is not None and found.digest is not None:
            report.findings += duplicates.add(found.sample, found.digest)
    report.findings += [finding for tally in report.values.values()
                        if (finding := tally.binary()) is not None]
    report.seconds = time.perf_counter() - started
