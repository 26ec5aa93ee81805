"""`data.plan_pipeline`, `data.cache` and `data.normalize_on_device` of a config."""
import logging
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.host import free_memory
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.rank import get_local_size
from mmcv_replace.utils.section import read_section
from mmcv_replace.utils.shared_store import SharedStore
from mmseg.core.utils import inner_datasets, leaf_datasets

from .caching.cache import SampleCache, sample_key
from .caching.disk_cache import DiskCache
from .caching.room import open_disk_cache
from .pipelines import Compose, MultiScaleFlipAug
from .pipelines.compose import own_pipeline
from .pipelines.device_normalize import replace_end
from .pipelines.fusion import fuse_steps
from .settings import CacheSettings, DataSettings

MEMORY_GB = 8.0  # by default, of each process


def set_pipeline_options(dataset: Dataset, data: Mapping[str, Any], asynchronous: bool) -> None:
    """Apply options of `data` to all pipelines of a data set; none changes the samples.

    `plan_pipeline` (True) lets steps know of their neighbours. `normalize_on_device` (None: where
    the device is `asynchronous`) keeps uint8 for `pipelines.device_normalize.finish`.
    `cache` ('decoded', 'resized', or dict(level='decoded', max_gb=8)) keeps samples in memory, and
    dict(level='disk', dir=DIR) in files.
    """
    settings = read_section(DataSettings, data, 'data')
    fuse, on_device = settings.plan_pipeline is not False, settings.normalize_on_device
    cache = settings.cache
    parts = [part for part in leaf_datasets(dataset) if own_pipeline(part)]
    caches = [None] * len(parts) if cache is None else make_caches(parts, cache)
    kept = dict(zip(map(id, parts), caches, strict=True))
    for part, goes_on in _pipelines(dataset):
        pipeline = part.pipeline
        if goes_on:  # through the pipeline of a wrapper, at whose end they are normalised
            normalize_later = False
        elif on_device is None:
            normalize_later = asynchronous and fuse
        else:
            normalize_later = on_device
            if on_device and replace_end(pipeline.transforms) is None:
                warn_once('data.normalize_on_device has no effect: the pipeline does not end with '
                          'Normalize, Pad, DefaultFormatBundle and Collect')
        set_plan(pipeline, fuse, on_device=normalize_later, cache=kept.get(id(part)))
        pipeline.fusion(pipeline.transforms)  # a setting that does not fit is known before the run


def _pipelines(dataset: Dataset, goes_on: bool = False) -> Iterator[tuple[Dataset, bool]]:
    """Data sets with a pipeline, and whether their samples go on through that of a wrapper."""
    has_own = own_pipeline(dataset) is not None
    if has_own:
        yield dataset, goes_on
    for part in inner_datasets(dataset):
        yield from _pipelines(part, goes_on or has_own)


def set_plan(pipeline: Compose, fuse: bool, **options: Any) -> None:
    """Set whether and how a pipeline, and those inside its test-time augmentation, are fused."""
    pipeline.fusion = partial(fuse_steps, fuse=fuse, **options)
    for step in pipeline.transforms:
        if isinstance(step, MultiScaleFlipAug):
            step.transforms.fusion = partial(fuse_steps, fuse=fuse)


def make_caches(parts: list[Dataset], settings: CacheSettings) -> list[SampleCache | DiskCache]:
    """The cache of each of several datasets. Raises ConfigError for settings that do not fit."""
    on_disk = settings.level == 'disk'
    if on_disk and settings.dir is None:
        raise ConfigError("data.cache.level='disk' needs data.cache.dir, a folder on a fast disk "
                          'with room for the decoded data set: '
                          'data.cache="dict(level=\'disk\', dir=\'DIR\')"')
    if not on_disk and settings.dir is not None:
        raise ConfigError(f'data.cache.dir={settings.dir!r} is the folder of level=\'disk\'; '
                          f'level={settings.level!r} keeps samples in memory: leave dir out')
    if on_disk:
        return [open_disk_cache(parts, settings.dir, settings.max_gb)] * len(parts)
    return make_memories(parts, settings.level,
                         MEMORY_GB if settings.max_gb is None else settings.max_gb)


def make_memories(parts: list[Dataset], level: str, max_gb: float) -> list[SampleCache]:
    """Memories for several datasets in one store, which is as large as all may be together.

    That is no more than this process's share of half of the memory that is free.
    """
    limit, free = int(max_gb * 1e9), free_memory()
    share = None if free is None else free // 2 // get_local_size()
    if share is not None and share < limit:
        logging.getLogger('mmseg').warning(
            'data.cache: %.3g GB instead of %.3g: half of the free memory, shared by the processes '
            'of this machine', share / 1e9, max_gb)
        limit = share
    keys = [[sample_key(info, info.get('ann')) for info in part.img_infos] for part in parts]
    store = SharedStore(sum(map(len, keys)), limit, 'data.cache')
    slots = count()
    return [SampleCache(store, dict(zip(names, slots, strict=False)), level) for names in keys]
