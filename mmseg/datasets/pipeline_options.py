"""`data.plan_pipeline`, `data.cache` and `data.normalize_on_device` of a config."""
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch.utils.data import Dataset

from mmcv_replace.host import free_memory
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.rank import get_local_size
from mmcv_replace.utils.shared_store import SharedStore
from mmseg.core.utils import leaf_datasets

from .pipelines import Compose, MultiScaleFlipAug
from .pipelines.cache import LEVELS, SampleCache, sample_key
from .pipelines.device_normalize import replace_end
from .pipelines.fusion import fuse_steps

MAX_GB = 8.0


def set_pipeline_options(dataset: Dataset, data: Mapping[str, Any], asynchronous: bool) -> None:
    """Apply options of `data` to all pipelines of a data set; none changes the samples.

    `plan_pipeline` (True) lets steps know of their neighbours. `normalize_on_device` (None: where
    the device is `asynchronous`) keeps uint8 for `pipelines.device_normalize.finish`.
    `cache` ('decoded', 'resized', or dict(level='decoded', max_gb=8)) keeps samples in memory.
    """
    fuse, on_device = data.get('plan_pipeline', True), data.get('normalize_on_device')
    for name, value in (('plan_pipeline', fuse), ('normalize_on_device', on_device)):
        if value not in (True, False, None):
            raise ConfigError(f'data.{name}={value!r}: give True or False')
    fuse = fuse is not False
    level, max_gb = read_cache(data.get('cache'))
    parts = [part for part in leaf_datasets(dataset)
             if isinstance(getattr(part, 'pipeline', None), Compose)]
    memories = [None] * len(parts) if level is None else make_memories(parts, level, max_gb)
    for part, memory in zip(parts, memories, strict=True):
        pipeline = part.pipeline
        if on_device and replace_end(pipeline.transforms) is None:
            warn_once('data.normalize_on_device has no effect: the pipeline does not end with '
                      'Normalize, Pad, DefaultFormatBundle and Collect')
        normalize_later = (asynchronous and fuse) if on_device is None else on_device
        set_plan(pipeline, fuse, on_device=normalize_later, cache=memory)
        pipeline.fusion(pipeline.transforms)  # a setting that does not fit is known before the run


def set_plan(pipeline: Compose, fuse: bool, **options: Any) -> None:
    """Set whether and how a pipeline, and those inside its test-time augmentation, are fused."""
    pipeline.fusion = partial(fuse_steps, fuse=fuse, **options)
    for step in pipeline.transforms:
        if isinstance(step, MultiScaleFlipAug):
            step.transforms.fusion = partial(fuse_steps, fuse=fuse)


def read_cache(setting: str | Mapping[str, Any] | None) -> tuple[str | None, float]:
    """(level, max_gb) of `data.cache`; the level is None without a cache."""
    options = dict(setting) if isinstance(setting, Mapping) else {'level': setting}
    level, max_gb = options.pop('level', None), options.pop('max_gb', MAX_GB)
    number = isinstance(max_gb, int | float) and not isinstance(max_gb, bool)
    known = level in LEVELS or (level is None and not isinstance(setting, Mapping))
    if options or not known or not number or max_gb <= 0:
        raise ConfigError(f'data.cache={setting!r}: give {" or ".join(map(repr, LEVELS))}, or '
                          f"dict(level='decoded', max_gb={MAX_GB:g}) with the memory that it may "
                          'take in each process of a job')
    return level, max_gb


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
    memories, start = [], 0
    for names in keys:
        slots = {name: start + index for index, name in enumerate(names)}
        memories.append(SampleCache(store, slots, level))
        start += len(names)
    return memories
