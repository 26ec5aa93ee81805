"""The settings in `data` of a config."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from mmcv_replace.utils.checks.type_check import fits
from mmcv_replace.utils.section import Range, Section

PER_BATCH = Range(1, 2**20)
WORKERS = Range(0, 1024)
DataCfg = dict | Sequence[dict]


@dataclass(frozen=True)
class LoaderSettings(Section):
    """`data.train_dataloader`: what differs for one loader from the settings in `data`."""

    samples_per_gpu: Annotated[int, PER_BATCH, 'samples in a batch of one process'] = 1
    workers_per_gpu: Annotated[int, WORKERS, 'processes that load'] = 0
    persistent_workers: Annotated[bool | None, 'keep these processes between epochs'] = None
    pin_memory: Annotated[bool, 'batches lie in memory that a device copies from'] = True
    prefetch_factor: Annotated[int | None, Range(1), 'batches that a process loads ahead'] = None
    timeout: Annotated[float, Range(0), 'seconds to wait for a batch; 0: no limit'] = 0
    shuffle: Annotated[Literal[True], 'training samples are always shuffled'] = True
    drop_last: Annotated[Literal[True], 'all processes need equally many full batches'] = True


@dataclass(frozen=True)
class EvaluationLoaderSettings(LoaderSettings):
    """`data.val_dataloader` and `data.test_dataloader`."""

    shuffle: Annotated[Literal[False], 'each image is scored once, in order'] = False
    drop_last: Annotated[Literal[False], 'each image is scored once, in order'] = False


@dataclass(frozen=True)
class CacheSettings(Section):
    """`data.cache`: samples that are kept in memory, which all workers share, or in files."""

    SHORT = 'level'
    level: Annotated[Literal['decoded', 'resized', 'disk'],
                     "the steps whose result is kept; 'disk': decoded, in files"]
    max_gb: Annotated[float | None, Range(above=0),
                      'memory of each process of a job (None: 8), or size of the files of a data '
                      'set (None: what is free)'] = None
    dir: Annotated[str | None, "the folder of 'disk', which jobs may share"] = None


@dataclass(frozen=True)
class OnErrorSettings(Section):
    """`data.on_error`: what happens to a training sample that cannot be loaded."""

    SHORT = 'action'
    action: Annotated[Literal['raise', 'skip'], 'stop the run, or take another sample']
    max_skipped: Annotated[int, Range(0), 'files that a run may skip'] = 100


@dataclass(frozen=True)
class DataSettings(Section):
    """`data`. Further keys may hold configs of data sets."""

    samples_per_gpu: Annotated[int, PER_BATCH, 'samples in a batch of one process'] = 1
    workers_per_gpu: Annotated[int, WORKERS, 'processes that load'] = 0
    train: Annotated[DataCfg, 'the data set to train on'] = ()
    val: Annotated[DataCfg | None, 'the data set that is scored during the training'] = None
    test: Annotated[DataCfg | None, 'the data set that tools/test.py scores'] = None
    train_dataloader: Annotated[dict | None, LoaderSettings] = None
    val_dataloader: Annotated[dict | None, EvaluationLoaderSettings] = None
    test_dataloader: Annotated[dict | None, EvaluationLoaderSettings] = None
    prefetch_factor: Annotated[int | None, Range(1), 'batches that a process loads ahead'] = None
    plan_pipeline: Annotated[bool | None, 'replace steps by faster ones of equal result'] = True
    normalize_on_device: Annotated[bool | None, 'None: where the device is asynchronous'] = None
    cache: Annotated[str | dict | None, CacheSettings] = None
    on_error: Annotated[str | dict | None, OnErrorSettings] = None
    check: Annotated[Literal['quick', 'full', 'off'], 'the data check before a training'] = 'quick'

    @classmethod
    def allows(cls, value: object) -> bool:
        """Whether a further key may hold this: the config of a data set, or a list of them."""
        return fits(value, DataCfg | None)

    @property
    def max_skipped(self) -> int | None:
        """How many files a training may skip; None where the first one stops it."""
        skips = self.on_error is not None and self.on_error.action == 'skip'
        return self.on_error.max_skipped if skips else None
