"""Keep the result of the first steps of a pipeline for each file, in memory that workers share."""
import pickle
from collections.abc import Hashable, Mapping, Sequence

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.shared_store import SharedStore

from ..pipelines.base import Results, Step, Transform

# Bytes. Image and label map take more, other arrays such as a mean take less.
SMALL = 1024


def sample_key(info: Mapping, ann: Mapping | None) -> Hashable:
    """Identifies a sample of a dataset: the names of its image and its mask."""
    return info.get('filename'), (ann or {}).get('seg_map')


class SampleCache:
    """The samples of one dataset in a `store`: the slot of each, and the level that is kept."""

    def __init__(self, store: SharedStore, slots: Mapping[Hashable, int], level: str) -> None:
        self.store = store
        self.slots = slots
        self.level = level

    def replace(self, steps: Sequence[Step]) -> list[Step]:
        """The steps of a pipeline, the first of which run once for each file.

        Raises ConfigError where none can be cached, or they do not reach the level.
        """
        number = self._count_steps(steps)
        copied = number < len(steps) and getattr(steps[number], 'copies_arrays', False)
        return [CachedSteps(steps[:number], self, copy=not copied), *steps[number:]]

    def _count_steps(self, steps: Sequence[Step]) -> int:
        number = count_decoding(steps)
        if self.level == 'decoded':
            return number
        if [getattr(step, 'cache_level', None) for step in steps[number:number + 1]] != ['resized']:
            raise ConfigError("data.cache='resized' needs a Resize of one img_scale, without "
                              "ratio_range, right after loading: use data.cache='decoded'")
        return number + 1


def count_decoding(steps: Sequence[Step]) -> int:
    """How many of the first steps read files; ConfigError where these are none."""
    number = next((i for i, step in enumerate(steps)
                   if getattr(step, 'cache_level', None) != 'decoded'), len(steps))
    if number == 0:
        first = type(steps[0]).__name__ if steps else None
        raise ConfigError('data.cache keeps what LoadImageFromFile and LoadAnnotations read; '
                          f'the pipeline begins with {first}: leave data.cache out')
    return number


class CachedSteps(Transform):
    """The first steps of a pipeline, which run once for each file while the cache has room.

    Arrays of the store cannot be written to; `copy` returns copies for later steps that may.
    """

    def __init__(self, steps: Sequence[Step], cache: SampleCache, copy: bool) -> None:
        self.steps = list(steps)
        self.cache = cache
        self.copy = copy

    def __call__(self, results: Results) -> Results:
        slot = self.cache.slots.get(sample_key(results['img_info'], results.get('ann_info')))
        kept = None if slot is None else self.cache.store.get(slot)
        if kept is not None:
            arrays = map(bytearray, kept[1:]) if self.copy else kept[1:]
            results.update(pickle.loads(kept[0], buffers=arrays))
            return results
        results['seg_fields'] = list(results.get('seg_fields', ()))
        before = dict(results)
        for step in self.steps:
            results = step(results)
        if slot is not None:
            self._keep(slot, before, results)
        return results

    def _keep(self, slot: int, before: Results, results: Results) -> None:
        made = {key: value for key, value in results.items() if value is not before.get(key)}
        arrays: list[memoryview] = []

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            """Whether an array is pickled with the sample instead of viewed in the store."""
            view = buffer.raw()
            if view.nbytes >= SMALL:
                arrays.append(view)
            return view.nbytes < SMALL

        content = pickle.dumps({**made, 'seg_fields': results['seg_fields']}, protocol=5,
                               buffer_callback=is_small)
        self.cache.store.put(slot, [content, *arrays])
