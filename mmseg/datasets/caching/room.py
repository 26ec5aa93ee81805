"""Whether the decoded samples of data sets fit onto the disk of `data.cache.dir`."""
import copy
import logging
import os
from collections.abc import Iterator
from statistics import fmean
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.fileio.array_file import file_size

from ..loader.skip_samples import LOAD_ERRORS
from .disk_cache import DiskCache
from .stored_steps import StoredSteps, is_stored

# Samples that are looked for in the folder, and those of them that are decoded.
LOOKED_FOR, DECODED = 64, 8
# Of fewer samples a cache is not worth its files.
LEAST_SHARE = 0.02

logger = logging.getLogger('mmseg')


def open_disk_cache(parts: list[Dataset], folder: str, max_gb: float | None) -> DiskCache:
    """A cache of several data sets, which keeps as many of their samples as there is room for.

    How large they are is estimated from some of them, spread over the data sets. Raises ConfigError
    where their first steps cannot be cached.
    """
    cache = DiskCache(folder, share=0.0)  # to estimate writes nothing
    number = sum(map(len, parts))
    probes = [_probe(*place) for place in _places(parts, cache)]
    cache.share = 1.0
    sizes, there = [size for size, _ in probes if size], [found for _, found in probes]
    if not sizes or cache.is_told('full'):
        return cache
    needed = fmean(sizes) * number
    kept = needed * fmean(there)
    try:
        room = max(0.0, cache.free() + kept)
    except OSError:  # of which the first file that is written tells
        return cache
    limit = room if max_gb is None else min(room, max_gb * 1e9)
    logger.info('data.cache: %d decoded samples take about %.3g GB, of which %.3g GB are in %s',
                number, needed / 1e9, kept / 1e9, cache.folder)
    if needed > limit:
        share = max(0.0, limit / needed)
        cache.share = share if share >= LEAST_SHARE else 0.0
        why = f'there is room for {room / 1e9:.3g} GB' if limit == room else f'max_gb={max_gb:g}'
        logger.warning('data.cache: %d decoded samples take about %.3g GB, but %s in %s: %s',
                       number, needed / 1e9, why, cache.folder, _outcome(cache.share))
    return cache


def _outcome(share: float) -> str:
    return (f'about {share:.0%} of them are kept, the others are decoded each time' if share
            else 'all are decoded each time')


def _places(parts: list[Dataset], cache: DiskCache,
            ) -> Iterator[tuple[StoredSteps, Any, bool]]:
    """Loading steps and what they get of some samples, and whether these are to be decoded."""
    loaders = [cache.replace(part.pipeline.transforms)[0] for part in parts]
    samples = [(number, index) for number, part in enumerate(parts) for index in range(len(part))]
    chosen = np.unique(np.linspace(0, len(samples) - 1, LOOKED_FOR).astype(int)) if samples else ()
    for count, place in enumerate(chosen):
        number, index = samples[place]
        decode = count % max(1, len(chosen) // DECODED) == 0
        yield loaders[number], _first_results(parts[number], index), decode


def _first_results(part: Dataset, index: int) -> Any:
    """What the pipeline of a data set gets for a sample."""
    loading = copy.copy(part)
    loading.pipeline = lambda results: results
    return loading.prepare_train_img(index) if hasattr(part, 'prepare_train_img') \
        else loading[index]


def _probe(load: StoredSteps, results: Any, decode: bool) -> tuple[int, bool]:
    """Bytes of a decoded sample, 0 where they are not known, and whether it was in the cache."""
    results['seg_fields'] = list(results.get('seg_fields', ()))
    key = load.key(results)
    if key is None:
        return 0, False
    path = load.cache.path(key)
    try:
        return os.path.getsize(path), True
    except OSError:
        pass
    if not decode:
        return 0, False
    try:
        made = load(results)
    except LOAD_ERRORS:  # of which the training tells
        return 0, False
    return file_size(value for value in made.values() if is_stored(value)), False
